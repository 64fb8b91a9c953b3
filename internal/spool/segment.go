package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// file is what a segment needs of *os.File.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// segment is one file of batches.
type segment struct {
	path  string
	file  file  // nil while it is closed
	size  int64 // where the next entry goes
	live  int   // batches that are not done
	taken int   // of these handed out
}

const suffix = ".batches"

// segmentName is made of the number of the first batch, so that names sort by age.
func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// begin makes the file to which entries are appended from now on. The caller holds
// appending.
func (s *Spool) begin() error {
	g := &segment{path: filepath.Join(s.cfg.Dir, segmentName(s.next))}
	f, err := s.cfg.open(g.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	g.file = f
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = g
	s.segments = append(s.segments, g)
	return nil
}

// seal has the next entry begin a new file. The caller holds appending and mu.
func (s *Spool) seal() {
	g := s.active
	s.active = nil
	if g != nil {
		s.retire(g)
	}
}

// retire closes a segment that nobody reads, and removes it when all in it is done.
// The caller holds mu.
func (s *Spool) retire(g *segment) {
	if g == s.active || g.taken > 0 {
		return
	}
	g.close()
	if g.live > 0 {
		return
	}
	if err := os.Remove(g.path); err != nil {
		s.cfg.Failing(err)
		s.cfg.Logger.Error("spool: cannot remove a file that is done with", "error", err, "check", "remove it yourself: what it holds is delivered")
	}
	s.bytes -= g.size
	for i, other := range s.segments {
		if other == g {
			s.segments = append(s.segments[:i], s.segments[i+1:]...)
			break
		}
	}
}

// reopen makes sure that the segment's file is open. The caller holds mu and has taken
// one of its batches, so that it stays open.
func (s *Spool) reopen(g *segment) (file, error) {
	if g.file == nil {
		f, err := s.cfg.open(g.path, os.O_RDWR)
		if err != nil {
			return nil, err
		}
		g.file = f
	}
	return g.file, nil
}

func (g *segment) close() {
	if g.file != nil {
		_ = g.file.Close() // nothing is lost by it: what was written is with the kernel
		g.file = nil
	}
}
