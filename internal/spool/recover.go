package spool

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// found is an entry as restore reads it.
type found struct {
	header
	segment *segment
	offset  int64
}

// restore reads the headers of all segments, and returns the batches that have a note.
// A segment that cannot be read is left alone: it must not keep others waiting.
func (s *Spool) restore() (begun []*Batch, err error) {
	paths, err := filepath.Glob(filepath.Join(s.cfg.Dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var entries []*found
	for _, path := range paths {
		// Whatever it holds, its name is not taken again.
		if first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), suffix), 10, 64); err == nil {
			s.next = max(s.next, first+1)
		}
		g := &segment{path: path}
		of, err := s.scan(g)
		if err != nil {
			s.cfg.Failing(err)
			s.cfg.Logger.Error("spool: cannot read a file of batches; it is left as it is", "error", err)
			g.close()
			continue
		}
		entries = append(entries, of...)
		s.segments = append(s.segments, g)
		s.bytes += g.size
	}
	s.dropParts(entries)
	for _, e := range entries {
		s.next = max(s.next, e.number+1)
		if e.done {
			continue
		}
		b := e.batch()
		s.add(b)
		if b.note == nil {
			s.waiting.push(b)
			continue
		}
		s.take(b)
		begun = append(begun, b)
	}
	for _, g := range slices.Clone(s.segments) {
		s.retire(g)
	}
	return begun, nil
}

func (e *found) batch() *Batch {
	return &Batch{
		Flows: e.flows, number: e.number, appended: e.appended, note: e.note,
		segment: e.segment, offset: e.offset, length: e.length, sum: e.sum,
	}
}

// scan reads the headers of a segment. What is cut short at its end is cut off; what
// is damaged in the middle is passed over up to the next header.
func (s *Spool) scan(g *segment) ([]*found, error) {
	f, err := s.cfg.open(g.path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	g.file = f
	info, err := os.Stat(g.path)
	if err != nil {
		return nil, err
	}
	var entries []*found
	for size := info.Size(); g.size < size; {
		h, at, err := readHeader(f, g.size, size)
		if err != nil {
			return nil, fmt.Errorf("read %s at %d: %w", g.path, g.size, err)
		}
		end := at + headerBytes + int64(h.length)
		if at < 0 || end > size {
			s.cfg.Logger.Warn("spool: cut off a batch that was not written to its end", "file", g.path, "bytes", size-g.size)
			return entries, f.Truncate(g.size)
		}
		if at > g.size {
			s.cfg.Failing(ErrDamaged)
			s.cfg.Logger.Error("spool: passed over damaged batches; how many flows they held is not known",
				"file", g.path, "at", g.size, "bytes", at-g.size, "check", "the disk")
		}
		entries = append(entries, &found{h, g, at})
		g.size = end
	}
	return entries, nil
}

// readHeader returns the first header at or after offset, and where it is; -1 where
// there is none.
func readHeader(f io.ReaderAt, offset, size int64) (header, int64, error) {
	var b [headerBytes]byte
	if size-offset < headerBytes {
		return header{}, -1, nil
	}
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return header{}, 0, err
	}
	if h, err := decodeHeader(b[:]); err == nil {
		return h, offset, nil
	}
	rest := make([]byte, size-offset)
	if _, err := f.ReadAt(rest, offset); err != nil {
		return header{}, 0, err
	}
	for at := 1; ; at++ {
		i := bytes.Index(rest[at:], magic[:])
		if i < 0 || at+i+headerBytes > len(rest) {
			return header{}, -1, nil
		}
		at += i
		if h, err := decodeHeader(rest[at:]); err == nil {
			return h, offset + int64(at), nil
		}
	}
}

// dropParts ends the parts of batches that are not done: the process was killed within
// Replace, and has handed out none of them.
func (s *Spool) dropParts(entries []*found) {
	live := map[uint64]bool{}
	for _, e := range entries {
		live[e.number] = live[e.number] || !e.done
	}
	for _, e := range entries {
		if live[e.replaces] {
			e.done = true
			s.mark(e.batch())
		}
	}
}
