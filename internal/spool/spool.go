// Package spool keeps batches, in order, until somebody has delivered them: in files,
// so that they outlive the process, or in memory where it is given no directory.
//
// A batch goes through the files of this package in this order: append.go writes it
// behind the others (segment.go holds the files, entry.go their layout) or drops
// something where there is no room; deliver.go hands it out, notes to whom it is
// being delivered under which identity, and marks it as done. A segment is removed as
// soon as all its batches are done, so that where batches are delivered as fast as
// they come, hardly any reaches the disk itself. After a crash recover.go reads what
// is there.
//
// What a killed process had appended, noted and marked is all there at the next
// start: it lies in the kernel's memory. Nothing is forced to the disk, as flows are
// not worth a disk that waits for its platter: a power cut may cost the batches of
// about the last half minute, and may bring back some that were done. Damage is
// detected and costs the batch it hit.
package spool

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Config says where batches are kept and what may be kept. Only Dir and Limit matter
// to most.
type Config struct {
	Dir        string // made if missing; "" to keep batches in memory, of which the caller has to bound the number
	Limit      int64  // bytes of files; a full spool drops batches
	DropNewest bool   // drop what comes while the spool is full, instead of the oldest segment
	Segment    int64  // bytes after which a new file is begun; default 16 MiB, and never above an eighth of Limit
	MaxBatches int    // as many batches may be kept, since each takes about 150 bytes of memory; default 262,144
	Cache      int64  // bytes of batches that stay in memory beside their file, because they will be sent at once

	Held    func(bytes int) // told by how much the memory that batches take changes
	Lost    func(flows int) // told of every batch that is dropped because the spool is full
	Idle    func()          // called when somebody waits for a batch and there is none
	Failing func(err error) // told of every file operation that fails
	Logger  *slog.Logger    // default slog.Default()

	retry time.Duration                             // in tests: instead of retryInterval
	open  func(path string, flag int) (file, error) // in tests: files that fail
}

const (
	minLimit          = 256 << 10
	defaultSegment    = 16 << 20
	defaultMaxBatches = 1 << 18

	// retryInterval is how long batches stay in memory only after the disk has failed.
	retryInterval = 5 * time.Second
)

func (c *Config) setDefaults() {
	if c.Segment == 0 {
		c.Segment = defaultSegment
	}
	c.Segment = min(c.Segment, c.Limit/8)
	if c.MaxBatches == 0 {
		c.MaxBatches = defaultMaxBatches
	}
	if c.retry == 0 {
		c.retry = retryInterval
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.open == nil {
		c.open = func(path string, flag int) (file, error) { return os.OpenFile(path, flag, 0o600) }
	}
	if c.Held == nil {
		c.Held = func(int) {}
	}
	if c.Lost == nil {
		c.Lost = func(int) {}
	}
	if c.Idle == nil {
		c.Idle = func() {}
	}
	if c.Failing == nil {
		c.Failing = func(error) {}
	}
}

// Batch is one batch in a spool.
type Batch struct {
	Flows int // how many flows it holds

	number   uint64
	appended int64 // Unix milliseconds
	note     []byte
	data     []byte   // nil when it has to be read from segment
	segment  *segment // nil when it is in memory only
	offset   int64    // of its entry in segment
	length   int      // of its data
	sum      uint32   // CRC of its data
}

// Note returns what was noted for the batch before the process started.
func (b *Batch) Note() []byte { return b.note }

// Spool is a queue of batches. Its methods may be called from any goroutine.
type Spool struct {
	cfg    Config
	unlock func()

	// appending is held while entries are written, which may take long. It comes
	// before mu.
	appending sync.Mutex
	active    *segment  // that entries are appended to; nil until the next
	next      uint64    // number of the next batch
	retryAt   time.Time // when to try the disk again that has failed; zero while it works

	mu       sync.Mutex
	arrived  sync.Cond // a batch waits, or the context of somebody who waits for one ended
	waiting  deque
	taken    map[*Batch]bool // handed out and not yet back
	segments []*segment      // oldest first
	bytes    int64           // of all segments
	cached   int64           // bytes of batches that are in memory and in a segment
	stats    Stats
	idle     atomic.Int32 // callers that wait for a batch
}

// Stats is what a spool holds.
type Stats struct {
	Batches     int // in files
	Flows       int // in files
	Bytes       int64
	MemoryFlows int       // in memory only
	Oldest      time.Time // when the batch was appended that has waited longest; zero when there is none
}

// Open reads what cfg.Dir holds and locks it against other processes. Beside the
// spool it returns the batches with a note, which are being delivered since before
// the last process ended: they count as handed out by Next, and the caller has to end
// them by Done, Return or Replace.
func Open(cfg Config) (*Spool, []*Batch, error) {
	cfg.setDefaults()
	s := &Spool{cfg: cfg, next: 1, taken: map[*Batch]bool{}, unlock: func() {}}
	s.arrived.L = &s.mu
	if cfg.Dir == "" {
		return s, nil, nil
	}
	if cfg.Limit < minLimit {
		return nil, nil, fmt.Errorf("open spool %s: a limit of %d bytes is below %d", cfg.Dir, cfg.Limit, minLimit)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open spool: %w", err)
	}
	unlock, err := Lock(cfg.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open spool: %w", err)
	}
	s.unlock = unlock
	begun, err := s.restore()
	if err != nil {
		unlock()
		return nil, nil, fmt.Errorf("open spool %s: %w", cfg.Dir, err)
	}
	return s, begun, nil
}

// Stats returns what the spool holds, handed out or not.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	var oldest int64
	if b := s.waiting.front(); b != nil {
		oldest = b.appended
	}
	for b := range s.taken {
		if oldest == 0 || b.appended < oldest {
			oldest = b.appended
		}
	}
	if oldest != 0 {
		stats.Oldest = time.UnixMilli(oldest)
	}
	return stats
}

// Idle tells whether somebody waits for a batch.
func (s *Spool) Idle() bool { return s.idle.Load() > 0 }

// Close leaves what the files hold to the next process. Nothing may be called
// afterwards but Stats.
func (s *Spool) Close() {
	s.appending.Lock()
	defer s.appending.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
	for _, g := range s.segments {
		g.close()
	}
	s.unlock()
}
