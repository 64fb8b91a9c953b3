package exporter

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// State is what is remembered of one exporter. It is safe for concurrent use: the
// datagrams of one exporter may arrive by several sockets. What was not said is not
// allocated, so that the state of an address that was forged is small.
type State struct {
	table    *Table
	address  netip.Addr
	override atomic.Pointer[Override] // what is configured for it; never nil

	lastSeen atomic.Int64             // nanoseconds since 1970: the time of the datagram at hand
	counters atomic.Pointer[counters] // its own or table.rest
	inUse    atomic.Uint64            // the sampling rate last given by Rate
	size     atomic.Int64             // estimated size of all that is kept, as of the last unlock
	holds    atomic.Int32             // number of data sets that wait

	// Guarded by table.mu.
	segment   *segment // nil: evicted
	charged   int      // bytes of size that are in the sums of segment
	firstSeen int64    // seconds since 1970
	datagrams int      // counted until it is established

	mu           sync.Mutex
	templates    kept[templateKey, *Template]
	rates        kept[samplerKey, uint64]
	agreed       map[domainKey]agreement // see agreedRate; emptied when a rate changes
	boots        kept[uint32, uint64]    // by domain
	applications kept[uint64, string]
	streams      kept[streamKey, *stream]
	limiter      *limiter // nil until it is needed
	waiting      waitingSets
	gone         bool // evicted: nothing is held any more
}

// Estimates of what things occupy in memory, with their share of map and list.
const (
	stateBytes       = 512
	templateOverhead = 320
	fieldBytes       = 8
	samplerBytes     = 192 // with what agreedRate remembers
	bootBytes        = 128
	applicationBytes = 160
	streamBytes      = 320
	heldOverhead     = 192
)

func newState(t *Table, address netip.Addr, now time.Time) *State {
	s := &State{table: t, address: address, firstSeen: now.Unix()}
	s.override.Store(t.overrides.Load().of(address))
	s.lastSeen.Store(now.UnixNano())
	s.counters.Store(&t.rest)
	s.size.Store(stateBytes)
	return s
}

// now is the time of the datagram at hand, in nanoseconds since 1970.
func (s *State) now() int64 { return s.lastSeen.Load() }

// limits are those of a kept of this exporter.
func (s *State) limits(entries int) limits {
	return limits{entries, int64(s.table.config.Lifetime)}
}

// unlock ends what mu.Lock began and may have changed the size.
func (s *State) unlock() {
	size := s.measure()
	if size == s.size.Load() {
		s.mu.Unlock()
		return
	}
	s.size.Store(size)
	s.holds.Store(int32(s.waiting.count))
	s.mu.Unlock()

	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	s.table.settle(s)
}

func (s *State) measure() int64 {
	return int64(stateBytes + s.templates.bytes + s.rates.bytes + s.boots.bytes + s.applications.bytes +
		s.streams.bytes + s.waiting.bytes)
}

// changed notes that there is something worth saving soon.
func (s *State) changed() { s.table.changes.Add(1) }

// giveUp is called when the table forgets the exporter.
func (s *State) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.dropHeld(heldEvicted, func(*Held) bool { return true })
}
