package importer

import (
	"crypto/sha256"
	"encoding/hex"
)

// printBytes is how much of a file's beginning tells it from others.
const printBytes = 4096

// FileState is how far a file or an object was read, as it is kept in the state directory.
type FileState struct {
	ID     int    `json:"id"`
	Path   string `json:"path"` // of a file the last one, only for people
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`

	// ETag is that of an object, which is known by its Path and this alone.
	ETag string `json:"etag,omitempty"`

	// Print is a hash of the first PrintLength bytes, as they are without compression.
	Print       string `json:"print,omitempty"`
	PrintLength int    `json:"printLength,omitempty"`

	Offset int64  `json:"offset"` // bytes read, as they are without compression; rows of a table
	State  string `json:"state,omitempty"`

	reader *input // that has it open
}

// Note is how far files and objects were read and what was delivered, or what has changed
// of that.
type Note struct {
	Files      []FileState  `json:"files,omitempty"`
	Done       []DoneNote   `json:"done,omitempty"`       // objects that were read to their end
	Settled    []Settled    `json:"settled,omitempty"`    // before Done
	Deliveries []DeliveryID `json:"deliveries,omitempty"` // to a Receiver
}

func fingerprint(head []byte) string {
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:16])
}

// begins tells whether the file that begins with head may be this one.
func (s *FileState) begins(head []byte) bool {
	return len(head) >= s.PrintLength && fingerprint(head[:s.PrintLength]) == s.Print
}

type place struct{ device, inode uint64 }

type print struct {
	hash   string
	length int
}

// known are the files that were read, found by where they are and by how they begin, and
// the objects.
type known struct {
	last     int // ID
	byID     map[int]*FileState
	byPlace  map[place]*FileState
	byPrint  map[print]*FileState
	byObject map[objectID]*FileState
	objects  doneObjects

	deliveries []DeliveryID // which only a Receiver looks at
}

func newKnown(notes []Note) *known {
	k := &known{
		byID: map[int]*FileState{}, byPlace: map[place]*FileState{}, byPrint: map[print]*FileState{}, byObject: map[objectID]*FileState{},
		objects: newDoneObjects(),
	}
	for _, n := range notes { // later ones are newer
		for _, s := range n.Files {
			k.add(&s)
		}
		for _, s := range n.Settled {
			k.settle(s)
		}
		for _, d := range n.Done {
			for _, id := range d.ids() {
				k.done(id)
			}
		}
		k.deliveries = append(k.deliveries, n.Deliveries...)
	}
	return k
}

func (k *known) add(s *FileState) {
	k.last = max(k.last, s.ID)
	before := k.byID[s.ID]
	k.byID[s.ID] = s
	if s.ETag != "" {
		k.byObject[idOf(s.Path, s.ETag)] = s
		return
	}
	if before != nil && before != s {
		delete(k.byPlace, place{before.Device, before.Inode})
		delete(k.byPrint, print{before.Print, before.PrintLength})
	}
	k.byPlace[place{s.Device, s.Inode}] = s
	k.byPrint[print{s.Print, s.PrintLength}] = s
}

// done notes that an object was read to its end.
func (k *known) done(id objectID) {
	k.objects.add(id)
	k.forget(id)
}

// forget forgets how far an object was read.
func (k *known) forget(id objectID) {
	if s := k.byObject[id]; s != nil {
		delete(k.byID, s.ID)
		delete(k.byObject, id)
	}
}

// sum returns all that is known in one note.
func (k *known) sum() Note {
	n := k.objects.note()
	n.Deliveries = k.deliveries
	for id := 1; id <= k.last; id++ {
		if s := k.byID[id]; s != nil {
			n.Files = append(n.Files, *s)
		}
	}
	return n
}

// find returns the state of the file at p that begins with head, all of it if whole:
//
//   - the same place on the disk, and the same beginning: it may have grown
//   - another place: a copy, or the file compressed, if it begins with the same 4 KiB or,
//     where there are fewer, has nothing else
//
// A file that begins otherwise is another one, though it has the place of one that was
// removed or truncated.
func (k *known) find(p place, head []byte, whole bool) *FileState {
	if s := k.byPlace[p]; s != nil && s.PrintLength > 0 && s.begins(head) {
		return s
	}
	if len(head) < printBytes && !whole || len(head) == 0 {
		return nil
	}
	hash := fingerprint(head)
	if s := k.byPrint[print{hash, len(head)}]; s != nil && s.Print == hash && s.PrintLength == len(head) {
		return s
	}
	return nil // or it has grown since
}

// begin returns the state of a file that is new.
func (k *known) begin() *FileState {
	k.last++
	return &FileState{ID: k.last}
}
