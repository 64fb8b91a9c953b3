package exporter

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	established = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporters",
		Help: "Exporters that state is kept of and that have been heard of in two different seconds at least.",
	})
	newcomers = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_newcomers",
		Help: "Exporters that state is kept of but that have been heard of too little yet to count as netmeta_exporters. Many of them mean that addresses are forged, or that somebody scans: see --allow.",
	})
	memory = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_state_bytes",
		Help: "Estimated size of what is kept of all exporters: templates, sampling rates, names, sequence numbers, data sets that wait for a template.",
	})
	evictions = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_exporter_evictions_total",
		Help: "What was forgotten of exporters, by reason: capacity (too many), bytes (too large together) or idle (not heard of or not needed for a day). Of newcomers capacity and bytes are normal under forged addresses; of the rest they mean that flows are lost.",
	}, []string{"what", "reason"})

	exportersCapacity    = evictions.WithLabelValues("exporter", "capacity")
	exportersBytes       = evictions.WithLabelValues("exporter", "bytes")
	exportersIdle        = evictions.WithLabelValues("exporter", "idle")
	newcomersCapacity    = evictions.WithLabelValues("newcomer", "capacity")
	newcomersBytes       = evictions.WithLabelValues("newcomer", "bytes")
	newcomersIdle        = evictions.WithLabelValues("newcomer", "idle")
	templatesCapacity    = evictions.WithLabelValues("template", "capacity")
	templatesBytes       = evictions.WithLabelValues("template", "bytes")
	templatesIdle        = evictions.WithLabelValues("template", "idle")
	samplersCapacity     = evictions.WithLabelValues("sampler", "capacity")
	bootsCapacity        = evictions.WithLabelValues("boot", "capacity")
	applicationsCapacity = evictions.WithLabelValues("application", "capacity")
	streamsCapacity      = evictions.WithLabelValues("stream", "capacity")
)

// Table holds the state of all exporters. It is safe for concurrent use.
//
// A State's lock may be taken under the Table's, never the other way round.
type Table struct {
	config    Config
	overrides atomic.Pointer[Overrides] // at first those of config

	mu          sync.Mutex
	newcomers   segment
	established segment
	holding     map[*State]struct{} // those with data sets that wait for a template
	listed      int                 // exporters with counters of their own
	swept       time.Time           // when sweep last ran, by the time of datagrams
	sweptAt     time.Time           // and by the clock

	rest      counters     // of all exporters without counters of their own
	heldBytes atomic.Int64 // in all of holding, including what is about to be added
	changes   atomic.Uint64
}

// segment is exporters under bounds of their own, in the order of State.lastSeen.
type segment struct {
	states    *simplelru.LRU[netip.Addr, *State]
	bytes     int // sum of State.charged
	maxStates int
	maxBytes  int

	known                    prometheus.Gauge
	capacity, tooLarge, idle prometheus.Counter // evictions by reason
}

// NewTable returns an empty table. It panics when a bound is negative.
func NewTable(config Config) *Table {
	c := config.withDefaults()
	t := &Table{
		config: c,
		newcomers: segment{
			states: newLRU[netip.Addr, *State](c.MaxNewcomers), maxStates: c.MaxNewcomers, maxBytes: c.MaxNewcomerBytes,
			known: newcomers, capacity: newcomersCapacity, tooLarge: newcomersBytes, idle: newcomersIdle,
		},
		established: segment{
			states: newLRU[netip.Addr, *State](c.MaxExporters), maxStates: c.MaxExporters, maxBytes: c.MaxBytes,
			known: established, capacity: exportersCapacity, tooLarge: exportersBytes, idle: exportersIdle,
		},
		holding: make(map[*State]struct{}),
	}
	t.overrides.Store(&c.Overrides)
	return t
}

// Get returns the state of the exporter at address, which it creates for an
// exporter that is not known, and notes that a datagram of it was received at now. An
// IPv4 address mapped into IPv6 is the same exporter as the IPv4 address.
//
// Callers ask again for every datagram instead of keeping the State: one that was
// evicted in the meantime can still be read and written, but nobody else sees it.
// The cost is a lock and a map look-up, two for newcomers.
func (t *Table) Get(address netip.Addr, now time.Time) *State {
	address = address.Unmap()
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.established.states.Get(address)
	if !ok {
		s = t.newcomer(address, now)
	}
	s.lastSeen.Store(max(s.lastSeen.Load(), now.UnixNano()))
	if now.Unix() != t.swept.Unix() {
		t.sweep(now)
	}
	if s.segment == &t.established {
		t.list(s)
	}
	return s
}

// Heard of so often and in two different seconds, an exporter is established. A forged
// address is hardly ever drawn twice while it is still among the newcomers, whereas
// whoever exports flows sends again within seconds.
const establishedDatagrams = 3

// newcomer returns the state of an exporter that is not established, or has become so
// by the datagram at hand.
func (t *Table) newcomer(address netip.Addr, now time.Time) *State {
	s, ok := t.newcomers.states.Get(address)
	if !ok {
		s = newState(t, address, now)
		if s.override.Load().single {
			t.add(&t.established, s)
			return s
		}
		t.add(&t.newcomers, s)
	}
	s.datagrams++
	if s.datagrams < establishedDatagrams || now.Unix() == s.firstSeen {
		return s
	}
	t.remove(&t.newcomers, s)
	t.add(&t.established, s)
	return s
}

// add needs t.mu, like all that follow.
func (t *Table) add(g *segment, s *State) {
	if g.states.Len() >= g.maxStates {
		t.evictOldest(g, g.capacity)
	}
	g.states.Add(s.address, s)
	s.segment = g
	g.known.Inc()
	t.settle(s)
}

// remove takes a state out of its segment.
func (t *Table) remove(g *segment, s *State) {
	g.states.Remove(s.address)
	g.bytes -= s.charged
	memory.Sub(float64(s.charged))
	s.charged, s.segment = 0, nil
	g.known.Dec()
}

func (t *Table) evictOldest(g *segment, reason prometheus.Counter) {
	_, s, ok := g.states.GetOldest()
	if !ok {
		return
	}
	t.remove(g, s)
	t.unlist(s)
	s.giveUp()
	delete(t.holding, s)
	reason.Inc()
}

// settle brings the sums up to date with the size of s, and makes room where it has
// grown.
func (t *Table) settle(s *State) {
	g := s.segment
	if g == nil {
		return
	}
	grown := int(s.size.Load()) - s.charged
	s.charged += grown
	g.bytes += grown
	memory.Add(float64(grown))
	if s.holds.Load() > 0 {
		t.holding[s] = struct{}{}
	} else {
		delete(t.holding, s)
	}
	for g.bytes > g.maxBytes && g.states.Len() > 0 {
		t.evictOldest(g, g.tooLarge)
	}
}

// catchUp sweeps although nothing is received, by which alone the table knows the time:
// whoever looks at it (NewCollector, Persist) calls this.
func (t *Table) catchUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.swept.IsZero() {
		t.sweep(t.swept.Add(time.Since(t.sweptAt)))
	}
}

// sweep forgets exporters that have been idle for too long and data sets whose time to
// wait is over. Get does so once a second.
func (t *Table) sweep(now time.Time) {
	t.swept, t.sweptAt = now, time.Now()
	for _, g := range []*segment{&t.newcomers, &t.established} {
		for {
			_, oldest, ok := g.states.GetOldest()
			if !ok || now.UnixNano()-oldest.lastSeen.Load() < int64(t.config.Idle) {
				break
			}
			t.evictOldest(g, g.idle)
		}
	}
	for s := range t.holding {
		s.expireHeld(now)
		t.settle(s)
	}
}
