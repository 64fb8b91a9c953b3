//go:build linux

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// caches are those of ClickHouse that hold what queries have read.
var caches = []string{"MARK", "INDEX MARK", "PRIMARY INDEX", "UNCOMPRESSED", "INDEX UNCOMPRESSED", "QUERY CONDITION", "MMAP"}

// chill makes the next query of a database read from the disk. ClickHouse's caches are
// dropped, and of the kernel's cache what belongs to the files of the database; nobody
// else on the machine notices, and no privileges are needed.
func (e engine) chill(ctx context.Context, database string) error {
	for _, cache := range caches {
		if err := e.run(ctx, database, "SYSTEM DROP "+cache+" CACHE"); err != nil {
			return err
		}
	}
	paths, err := e.text(ctx, database, "SELECT path FROM system.parts WHERE active AND database = currentDatabase()")
	if err != nil {
		return err
	}
	for path := range strings.Lines(paths) {
		if err := filepath.WalkDir(strings.TrimSpace(path), evict); err != nil {
			return fmt.Errorf("remove the files of database %s from the page cache: %w", database, err)
		}
	}
	return nil
}

// evict removes a file from the page cache.
func evict(path string, entry fs.DirEntry, err error) error {
	if err != nil || !entry.Type().IsRegular() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	// Pages that are not on the disk yet stay.
	if err := unix.Fdatasync(int(file.Fd())); err != nil {
		return fmt.Errorf("flush %s: %w", path, err)
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("evict %s: %w", path, err)
	}
	return nil
}
