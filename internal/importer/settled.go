package importer

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/objects"
)

// objectID is what an object is known by: its folder, and a hash of its name and ETag.
type objectID struct {
	folder string // s3://BUCKET/FOLDER/
	hash   objectHash
}

type objectHash [12]byte

func idOf(name, etag string) objectID {
	folder, base := path.Split(name)
	sum := sha256.Sum256([]byte(base + "\n" + etag))
	return objectID{folder, objectHash(sum[:len(objectHash{})])}
}

// DoneNote are the objects of a folder that were read to their end.
type DoneNote struct {
	Folder string `json:"folder"`
	Hashes string `json:"hashes"` // one after the other, in base64
}

func (d DoneNote) ids() (ids []objectID) {
	b, _ := base64.RawStdEncoding.DecodeString(d.Hashes) // what is not base64 is read again
	for hash := range slices.Chunk(b, len(objectHash{})) {
		if len(hash) == len(objectHash{}) {
			ids = append(ids, objectID{d.Folder, objectHash(hash)})
		}
	}
	return ids
}

// doneNotes writes ids down, those of a folder in one. It sorts them.
func doneNotes(ids []objectID) (notes []DoneNote) {
	slices.SortFunc(ids, func(a, b objectID) int { return strings.Compare(a.folder, b.folder) })
	var hashes []byte
	for i, id := range ids {
		hashes = append(hashes, id.hash[:]...)
		if i+1 == len(ids) || ids[i+1].folder != id.folder {
			notes = append(notes, DoneNote{id.folder, base64.RawStdEncoding.EncodeToString(hashes)})
			hashes = hashes[:0]
		}
	}
	return notes
}

// Settled is what is noted after all of a location was listed and read: the objects that
// were done there before it are those of Done, and of the days before Floors.
type Settled struct {
	Location string     `json:"location"`
	At       time.Time  `json:"at"` // when the listing began
	Floors   []Floor    `json:"floors,omitempty"`
	Done     []DoneNote `json:"done,omitempty"`
}

// Floor says of keys with a date, whose stem is what comes before it, that the days before
// Day are settled: what was written there before Before is done. So the state needs not
// remember each of these objects, and most listings begin behind them.
type Floor struct {
	Stem   string    `json:"stem"`
	Day    string    `json:"day"` // 2026/11/27
	Before time.Time `json:"before"`
}

const (
	// settleAfter is how old a day is before it may be settled. AWS and Google deliver
	// within minutes, at their worst within hours.
	settleAfter = 72 * time.Hour
	// quiet is for how long nothing was written to a day that is settled.
	quiet = 24 * time.Hour
	// wholeEvery is how often all of a location is listed, to find what came late to days
	// that are settled.
	wholeEvery = 24 * time.Hour
)

// dayOf finds the date in a name like …/2026/11/27/… or …/year=2026/month=11/day=27/….
func dayOf(name string) (stem, day string, ok bool) {
	const plain, hive = len("2026/11/27/"), len("2026/month=11/day=27/")
	for at := 0; ; {
		next := strings.IndexByte(name[at:], '/')
		if next < 0 {
			return "", "", false
		}
		at += next + 1
		rest := name[at:]
		if len(rest) >= plain && isDigits(rest[:4]) && rest[4] == '/' && isDigits(rest[5:7]) && rest[7] == '/' && isDigits(rest[8:10]) && rest[10] == '/' {
			return name[:at], rest[:10], true
		}
		if rest, found := strings.CutPrefix(rest, "year="); found && len(rest) >= hive && isDigits(rest[:4]) &&
			rest[4:11] == "/month=" && isDigits(rest[11:13]) && rest[13:18] == "/day=" && isDigits(rest[18:20]) && rest[20] == '/' {
			return name[:at+len("year=")], rest[:4] + "/" + rest[11:13] + "/" + rest[18:20], true
		}
	}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// start returns the name that comes before all of the days that are not settled.
func (f Floor) start() string {
	day := f.Day
	if strings.HasSuffix(f.Stem, "year=") {
		day = f.Day[:4] + "/month=" + f.Day[5:7] + "/day=" + f.Day[8:]
	}
	return f.Stem + day
}

// doneObjects are the objects that were read to their end.
type doneObjects struct {
	folders map[string]map[objectHash]struct{}
	floors  map[string]Floor     // by stem
	whole   map[string]time.Time // when all of a location was listed last
}

func newDoneObjects() doneObjects {
	return doneObjects{map[string]map[objectHash]struct{}{}, map[string]Floor{}, map[string]time.Time{}}
}

func (d *doneObjects) add(id objectID) {
	folder := d.folders[id.folder]
	if folder == nil {
		folder = map[objectHash]struct{}{}
		d.folders[id.folder] = folder
	}
	folder[id.hash] = struct{}{}
}

// floor returns the floor above an object, if its day is settled.
func (d *doneObjects) floor(name string) (Floor, bool) {
	stem, day, ok := dayOf(name)
	if !ok {
		return Floor{}, false
	}
	f, ok := d.floors[stem]
	return f, ok && day < f.Day
}

// has tells whether an object was read.
func (d *doneObjects) has(o objects.Object, id objectID) bool {
	if _, done := d.folders[id.folder][id.hash]; done {
		return true
	}
	f, settled := d.floor(o.Name())
	return settled && o.Modified.Before(f.Before)
}

// settle puts what is known after all of a location was read in the place of what was
// known before.
func (k *known) settle(s Settled) {
	d := &k.objects
	maps.DeleteFunc(d.folders, func(folder string, _ map[objectHash]struct{}) bool { return strings.HasPrefix(folder, s.Location) })
	for _, f := range s.Floors {
		d.floors[f.Stem] = f
	}
	for _, n := range s.Done {
		for _, id := range n.ids() {
			d.add(id)
		}
	}
	if s.Location != noLocation {
		d.whole[s.Location] = s.At
	}
	for id := range k.byObject {
		if _, settled := d.floor(id.folder); settled { // it cannot be read, and was reported for days
			k.forget(id)
		}
	}
}

// note writes all down. Locations overlap: what is done is not within one of them.
func (d *doneObjects) note() (n Note) {
	for location, at := range d.whole {
		n.Settled = append(n.Settled, Settled{Location: location, At: at})
	}
	if len(d.floors) > 0 {
		n.Settled = append(n.Settled, Settled{Location: noLocation, Floors: slices.Collect(maps.Values(d.floors))})
	}
	var ids []objectID
	for folder, hashes := range d.folders {
		for hash := range hashes {
			ids = append(ids, objectID{folder, hash})
		}
	}
	n.Done = doneNotes(ids)
	return n
}

// noLocation is one that has no objects.
const noLocation = "-"
