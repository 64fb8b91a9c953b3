package spool

import (
	"context"
	"errors"
	"fmt"
)

// ErrDamaged is returned for a batch of which the file holds something else than what
// was written.
var ErrDamaged = errors.New("the batch is damaged")

// Next hands out the oldest batch that waits, and waits for one if there is none. It
// returns nil when ctx ends first. Who has waited longest is served first. The caller
// has to end the batch by Done, Return or Replace.
func (s *Spool) Next(ctx context.Context) *Batch {
	defer context.AfterFunc(ctx, s.wake)()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.waiting.len() == 0 && ctx.Err() == nil {
		s.idle.Add(1)
		s.cfg.Idle()
		s.arrived.Wait()
		s.idle.Add(-1)
	}
	if ctx.Err() != nil {
		s.arrived.Signal() // what woke this one may have been meant for the next
		return nil
	}
	b := s.waiting.shift()
	s.take(b)
	return b
}

func (s *Spool) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived.Broadcast()
}

// take counts b as handed out. The caller holds mu.
func (s *Spool) take(b *Batch) {
	s.taken[b] = true
	if b.segment != nil {
		b.segment.taken++
	}
}

// Data returns the data of a batch that was handed out. Nobody may change it.
func (s *Spool) Data(b *Batch) ([]byte, error) {
	s.mu.Lock()
	data := b.data
	s.mu.Unlock()
	if data != nil {
		return data, nil
	}
	data = make([]byte, b.length)
	f, err := s.fileOf(b)
	if err == nil {
		_, err = f.ReadAt(data, b.offset+headerBytes)
	}
	if err != nil {
		s.cfg.Failing(err)
		return nil, fmt.Errorf("read a batch of %d flows: %w", b.Flows, err)
	}
	if checksum(data) != b.sum {
		return nil, fmt.Errorf("read %d bytes at %d of %s: %w", b.length, b.offset, b.segment.path, ErrDamaged)
	}
	return data, nil
}

// Assign notes to whom, and under which identity, a batch that was handed out will be
// delivered next: at most MaxNote bytes, in place of what was noted before. When it
// returns, the note outlives the process; where it cannot be written that is logged,
// and the batch may be delivered twice if the process ends before it is done.
func (s *Spool) Assign(b *Batch, note []byte) {
	s.overwrite(b, noteOffset, encodeNote(note))
}

// Done ends a batch that was handed out: it is delivered, or nobody wants it.
func (s *Spool) Done(b *Batch) {
	s.mark(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(b)
}

// Return puts a batch that was handed out back to the front. What was noted stays
// noted until something else is.
func (s *Spool) Return(b *Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveUp(b)
	s.waiting.unshift(b)
	s.arrived.Signal()
}

func (s *Spool) mark(b *Batch) { s.overwrite(b, markOffset, []byte{isDone}) }

// overwrite changes the part of a batch's header that may change.
func (s *Spool) overwrite(b *Batch, offset int64, data []byte) {
	if b.segment == nil {
		return
	}
	f, err := s.fileOf(b)
	if err == nil {
		_, err = f.WriteAt(data, b.offset+offset)
	}
	if err != nil {
		s.cfg.Failing(err)
		s.cfg.Logger.Error("spool: cannot note how far a batch is; if the process ends now, it may be delivered twice",
			"error", err, "check", "the disk of "+s.cfg.Dir)
	}
}

func (s *Spool) fileOf(b *Batch) (file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reopen(b.segment)
}

// forget drops everything about a batch that is done. The caller holds mu.
func (s *Spool) forget(b *Batch) {
	s.subtract(b)
	s.giveUp(b)
}

// giveUp undoes take. The caller holds mu.
func (s *Spool) giveUp(b *Batch) {
	delete(s.taken, b)
	if b.segment != nil {
		b.segment.taken--
		s.retire(b.segment)
	}
}
