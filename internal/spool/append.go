package spool

import (
	"fmt"
	"time"
)

// Part is a piece of what a batch is replaced by.
type Part struct {
	Data  []byte
	Flows int
}

// Append puts a batch behind all others and tells whether it is in a file, and so
// outlives the process. Where the disk fails it is kept in memory only, and the disk is
// tried again later. The spool owns data from now on; nobody may change it.
func (s *Spool) Append(data []byte, flows int) (safe bool) {
	s.appending.Lock()
	defer s.appending.Unlock()
	if s.usesDisk() && !s.makeRoom(int64(headerBytes+len(data))) {
		s.cfg.Lost(flows)
		return false
	}
	batches := s.write([]Part{{data, flows}}, 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(batches[0])
	s.keep(batches[0], data)
	s.waiting.push(batches[0])
	s.arrived.Signal()
	return batches[0].segment != nil
}

// Replace ends b, which was handed out, and puts parts in its place at the front: all
// of them or, if the process ends meanwhile, none.
func (s *Spool) Replace(b *Batch, parts ...Part) {
	// Held to the end: until the parts count as live, another Append could remove the
	// segment that they are in.
	s.appending.Lock()
	defer s.appending.Unlock()
	var replaces uint64
	if b.segment != nil {
		replaces = b.number
	}
	batches := s.write(parts, replaces)
	s.mark(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, part := range batches {
		s.add(part)
		s.keep(part, parts[i].Data)
		part.appended = b.appended
	}
	s.waiting.unshift(batches...)
	s.forget(b)
	s.arrived.Broadcast()
}

// write appends entries to the active segment, all or none, and returns batches: in
// memory only, where that failed. The caller holds appending.
func (s *Spool) write(parts []Part, replaces uint64) []*Batch {
	now := time.Now().UnixMilli()
	batches := make([]*Batch, len(parts))
	for i, p := range parts {
		batches[i] = &Batch{Flows: p.Flows, number: s.next + uint64(i), appended: now, length: len(p.Data)}
	}
	if !s.usesDisk() {
		return batches
	}
	if err := s.writeFile(batches, parts, replaces); err != nil {
		s.failed(err)
		return batches
	}
	s.worked()
	s.next += uint64(len(parts))
	return batches
}

// usesDisk tells whether batches go to files at present. The caller holds appending.
func (s *Spool) usesDisk() bool {
	return s.cfg.Dir != "" && !time.Now().Before(s.retryAt)
}

func (s *Spool) writeFile(batches []*Batch, parts []Part, replaces uint64) error {
	if s.active != nil && s.active.size >= s.cfg.Segment {
		s.mu.Lock()
		s.seal()
		s.mu.Unlock()
	}
	if s.active == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	g := s.active
	start, end := g.size, g.size
	for i, p := range parts {
		b := batches[i]
		b.offset, b.sum = end, checksum(p.Data)
		h := header{length: b.length, flows: b.Flows, number: b.number, replaces: replaces, appended: b.appended, sum: b.sum}
		// The header first: data that is missing behind it is recognised by its length.
		head := h.encode()
		if _, err := g.file.WriteAt(head[:], end); err != nil {
			return s.undo(g, start, err)
		}
		if _, err := g.file.WriteAt(p.Data, end+headerBytes); err != nil {
			return s.undo(g, start, err)
		}
		end += headerBytes + int64(len(p.Data))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.size = end
	s.bytes += end - start
	for _, b := range batches {
		b.segment = g
	}
	return nil
}

// undo cuts off what was written of entries that are not complete, and leaves the
// segment, to which nothing can be appended if that fails too.
func (s *Spool) undo(g *segment, size int64, err error) error {
	if cut := g.file.Truncate(size); cut != nil {
		err = fmt.Errorf("%w; cut %s back to %d bytes: %w", err, g.path, size, cut)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
	return err
}

func (s *Spool) failed(err error) {
	s.cfg.Failing(err)
	if s.retryAt.IsZero() {
		s.cfg.Logger.Error("spool: cannot write; batches are kept in memory only until the disk takes them again",
			"error", err, "check", "free space and permissions of "+s.cfg.Dir)
	}
	s.retryAt = time.Now().Add(s.cfg.retry)
}

func (s *Spool) worked() {
	if !s.retryAt.IsZero() {
		s.cfg.Logger.Info("spool: batches are written to disk again", "dir", s.cfg.Dir)
		s.retryAt = time.Time{}
	}
}

// makeRoom drops what is oldest until so many bytes fit, if that is allowed, and tells
// whether they do. The caller holds appending.
func (s *Spool) makeRoom(bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bytes+bytes > s.cfg.Limit || s.stats.Batches >= s.cfg.MaxBatches {
		if s.cfg.DropNewest || !s.dropOldest() {
			return false
		}
	}
	return true
}

// dropOldest drops all batches of the oldest segment of which none is handed out: only
// a whole file makes room. The caller holds appending and mu.
func (s *Spool) dropOldest() bool {
	for _, g := range s.segments {
		if g.taken > 0 {
			continue
		}
		if g == s.active {
			s.active = nil
		}
		s.waiting.remove(func(b *Batch) bool {
			if b.segment != g {
				return false
			}
			s.cfg.Lost(b.Flows)
			s.subtract(b)
			return true
		})
		s.retire(g)
		return true
	}
	return false
}

// keep holds the data of a new batch in memory, if there is room or no file. The
// caller holds mu.
func (s *Spool) keep(b *Batch, data []byte) {
	if b.segment != nil {
		if s.cached+int64(b.length) > s.cfg.Cache {
			return
		}
		s.cached += int64(b.length)
	}
	b.data = data
	s.cfg.Held(b.length)
}

// add counts a batch. The caller holds mu.
func (s *Spool) add(b *Batch) {
	if b.segment == nil {
		s.stats.MemoryFlows += b.Flows
		return
	}
	b.segment.live++
	s.stats.Batches++
	s.stats.Flows += b.Flows
	s.stats.Bytes += int64(b.length)
}

// subtract undoes keep and add. The caller holds mu.
func (s *Spool) subtract(b *Batch) {
	if b.data != nil {
		b.data = nil
		s.cfg.Held(-b.length)
		if b.segment != nil {
			s.cached -= int64(b.length)
		}
	}
	if b.segment == nil {
		s.stats.MemoryFlows -= b.Flows
		return
	}
	b.segment.live--
	s.stats.Batches--
	s.stats.Flows -= b.Flows
	s.stats.Bytes -= int64(b.length)
}
