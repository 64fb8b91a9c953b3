package conntrack

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2"
)

// saved is what outlives the process: connections of which something has been reported.
// After another start of the system it means nothing.
type saved struct {
	Boot        string
	Connections map[key]tracked
}

const bootFile = "/proc/sys/kernel/random/boot_id"

func boot() string {
	id, _ := os.ReadFile(bootFile) // without it, no two starts are told apart
	return strings.TrimSpace(string(id))
}

// Save writes to a file what has been reported of connections that go on, so that the next
// process reports only what comes after.
func (t *Tracker) Save(path string) error {
	state := saved{boot(), map[key]tracked{}}
	for k, known := range t.table {
		if known.Reported != ([2]Counters{}) {
			state.Connections[k] = known
		}
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return fmt.Errorf("save what was reported of connections: %w", err)
	}
	defer file.Cleanup()
	if err := gob.NewEncoder(file).Encode(state); err != nil {
		return fmt.Errorf("save what was reported of connections to %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("save what was reported of connections to %s: %w", path, err)
	}
	return nil
}

// Load reads what Save has written. It tells whether that is of this start of the system;
// otherwise, and where there is no such file, nothing is known of any connection.
func (t *Tracker) Load(path string) (ok bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what was reported of connections: %w", err)
	}
	defer file.Close()
	var state saved
	if err := gob.NewDecoder(file).Decode(&state); err != nil {
		return false, fmt.Errorf("read what was reported of connections from %s: %w", path, err)
	}
	if state.Boot != boot() {
		return false, nil
	}
	for k, known := range state.Connections {
		known.Round = t.round
		known.Old = false
		t.put(k, known)
	}
	return true, nil
}
