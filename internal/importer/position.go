package importer

import (
	"crypto/sha256"
	"encoding/hex"
)

// printBytes is how much of a file's beginning tells it from others.
const printBytes = 4096

// FileState is how far a file was read, as it is kept in the state directory.
type FileState struct {
	ID     int    `json:"id"`
	Path   string `json:"path"` // the last one; only for people
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`

	// Print is a hash of the first PrintLength bytes, as they are without compression.
	Print       string `json:"print"`
	PrintLength int    `json:"printLength"`

	Offset int64  `json:"offset"` // bytes read, as they are without compression
	State  string `json:"state,omitempty"`

	reader *input // that has it open
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

// known are the files that were read, found by where they are and by how they begin.
type known struct {
	last    int // ID
	byID    map[int]*FileState
	byPlace map[place]*FileState
	byPrint map[print]*FileState
}

func newKnown(states []FileState) *known {
	k := &known{byID: map[int]*FileState{}, byPlace: map[place]*FileState{}, byPrint: map[print]*FileState{}}
	for _, s := range states { // later ones are newer
		k.add(&s)
	}
	return k
}

func (k *known) add(s *FileState) {
	if before := k.byID[s.ID]; before != nil && before != s {
		delete(k.byPlace, place{before.Device, before.Inode})
		delete(k.byPrint, print{before.Print, before.PrintLength})
	}
	k.byID[s.ID] = s
	k.byPlace[place{s.Device, s.Inode}] = s
	k.byPrint[print{s.Print, s.PrintLength}] = s
	k.last = max(k.last, s.ID)
}

// all returns the newest state of each file.
func (k *known) all() (states []FileState) {
	for id := 1; id <= k.last; id++ {
		if s := k.byID[id]; s != nil {
			states = append(states, *s)
		}
	}
	return states
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
