package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/standalone/datadir"
)

// dataDir is the directory of one running instance:
//
//	clickhouse/     the engine's tables
//	kafka/          the broker's topics and offsets
//	risinfo/        routing tables and names of AS numbers
//	exporters.json  templates and sampling rates that exporters have sent
//	addresses.json  where the running instance listens, for scripts
//	lock            held while an instance runs
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir creates the directory where it does not exist, and makes sure that
// it can be written and that no other instance uses it.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("create the data directory (choose another one with --data-dir): %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("write to the data directory %s (choose another one with --data-dir): %w", path, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data directory %s is in use by another netmeta-standalone: stop that, or choose another one with --data-dir", path)
		}
		return nil, fmt.Errorf("lock the data directory %s: %w", path, err)
	}
	return &dataDir{path, lock}, nil
}

func (d *dataDir) clickhouse() string { return filepath.Join(d.path, "clickhouse") }
func (d *dataDir) kafka() string      { return filepath.Join(d.path, "kafka") }
func (d *dataDir) risinfo() string    { return filepath.Join(d.path, "risinfo") }
func (d *dataDir) exporters() string  { return filepath.Join(d.path, "exporters.json") }

// addresses is where an instance listens.
type addresses = datadir.Addresses

func (d *dataDir) addressesFile() string { return datadir.File(d.path) }

func (d *dataDir) writeAddresses(a addresses) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	temporary := d.addressesFile() + ".new"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o640); err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	return os.Rename(temporary, d.addressesFile())
}

// close removes what says that an instance runs.
func (d *dataDir) close() {
	os.Remove(d.addressesFile())
	d.lock.Close()
}
