//go:build unix

package importer

import (
	"io/fs"
	"syscall"
)

// placeOf returns where a file is on the disk, which stays when it is renamed.
func placeOf(info fs.FileInfo) place {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return place{uint64(s.Dev), uint64(s.Ino)}
	}
	return place{}
}
