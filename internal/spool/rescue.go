package spool

// Rescue writes the batches that wait in memory, since the disk had failed, to files
// once it takes them again, and returns how many flows that makes safe. Without it
// they would keep the memory for as long as nobody takes them, and what comes after
// them would be lost for want of it though the disk has room.
func (s *Spool) Rescue() (flows int) {
	s.appending.Lock()
	defer s.appending.Unlock()
	for s.usesDisk() {
		bytes, any := s.firstInMemory()
		if !any || !s.makeRoom(int64(headerBytes+bytes)) {
			break
		}
		b, behind := s.takeFromMemory()
		if b == nil {
			break
		}
		written := s.write([]Part{{b.data, b.Flows}}, 0)[0]
		if written.segment == nil {
			s.putBack(b, behind)
			break
		}
		written.appended = b.appended
		s.mu.Lock()
		s.subtract(b)
		s.add(written)
		s.mu.Unlock()
		s.putBack(written, behind)
		flows += b.Flows
	}
	return flows
}

// firstInMemory returns the size of the first batch that waits in memory only, if any.
func (s *Spool) firstInMemory() (bytes int, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats.MemoryFlows == 0 {
		return 0, false
	}
	if i := s.waiting.index(isInMemory); i >= 0 {
		return s.waiting.items[i].length, true
	}
	return 0, false
}

func isInMemory(b *Batch) bool { return b.segment == nil }

// takeFromMemory takes the first batch that waits in memory only out of the queue, so
// that nobody delivers it meanwhile, and returns how many are behind it; nil if there
// is none.
func (s *Spool) takeFromMemory() (b *Batch, behind int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.waiting.index(isInMemory)
	if i < 0 {
		return nil, 0
	}
	behind = len(s.waiting.items) - i - 1
	return s.waiting.takeOut(i), behind
}

// putBack undoes takeFromMemory. While appending is held, the queue changes at its
// front only: what was behind b is, if nobody has taken it.
func (s *Spool) putBack(b *Batch, behind int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.insert(b, behind)
	s.arrived.Signal()
}
