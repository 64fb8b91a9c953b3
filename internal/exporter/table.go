// Package exporter keeps what must be remembered of every exporter between its
// datagrams: templates, sampling rates, and when it was started and last heard of.
//
// Exporters are told apart by address only. A source port says nothing: it
// changes when an exporter restarts, and one exporter may use several.
//
// Addresses can be forged, so everything is bounded: the number of exporters, the
// templates and samplers of each, and the bytes of all together. Where a bound is
// reached the least recently used goes, and is counted. State holds numbers only,
// no functions or compiled forms, so that it can be written to disk as it is.
package exporter

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	known = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporters",
		Help: "Exporters that state is kept of.",
	})
	memory = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_state_bytes",
		Help: "Estimated size of the templates, sampling rates and times of start of all exporters.",
	})
	evictions = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_exporter_evictions_total",
		Help: "Exporters, templates, samplers and times of start that were forgotten, by reason: capacity (too many), bytes (too large together) or idle (exporter not heard of).",
	}, []string{"what", "reason"})

	exportersCapacity = evictions.WithLabelValues("exporter", "capacity")
	exportersBytes    = evictions.WithLabelValues("exporter", "bytes")
	exportersIdle     = evictions.WithLabelValues("exporter", "idle")
	templatesCapacity = evictions.WithLabelValues("template", "capacity")
	templatesBytes    = evictions.WithLabelValues("template", "bytes")
	samplersCapacity  = evictions.WithLabelValues("sampler", "capacity")
	bootsCapacity     = evictions.WithLabelValues("boot", "capacity")
)

// Config bounds a Table. Zero values take the defaults given with each field.
type Config struct {
	MaxExporters int           // exporters in total; default 65,536
	MaxTemplates int           // templates of one exporter; default 4,096
	MaxSamplers  int           // sampling rates of one exporter, and times of start; default 1,024
	MaxBytes     int           // templates and rates of all exporters, estimated; default 128 MiB
	Idle         time.Duration // an exporter not heard of for so long is forgotten; default 24 h
	DefaultRate  uint64        // packets per sample where an exporter says nothing; 0: unknown

	MaxApplications int           // names of applications of one exporter; default 8,192
	TemplateWait    time.Duration // data sets wait so long for their template; default 5 min
	Overrides       Overrides     // what is configured for single exporters
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value   *int
		name    string
		initial int
	}{
		{&c.MaxExporters, "MaxExporters", 65_536},
		{&c.MaxTemplates, "MaxTemplates", 4_096},
		{&c.MaxSamplers, "MaxSamplers", 1_024},
		{&c.MaxBytes, "MaxBytes", 128 << 20},
		{&c.MaxApplications, "MaxApplications", 8_192},
	} {
		if *d.value < 0 {
			panic(fmt.Sprintf("exporter table: %s is %d, which is negative", d.name, *d.value))
		}
		if *d.value == 0 {
			*d.value = d.initial
		}
	}
	if c.Idle == 0 {
		c.Idle = 24 * time.Hour
	}
	if c.TemplateWait == 0 {
		c.TemplateWait = 5 * time.Minute
	}
	return c
}

// Table holds the state of all exporters. It is safe for concurrent use.
type Table struct {
	config Config

	mu     sync.Mutex
	states *simplelru.LRU[netip.Addr, *State] // in the order of State.lastSeen
	bytes  int                                // sum of State.bytes
}

// NewTable returns an empty table. It panics when a bound is negative.
func NewTable(config Config) *Table {
	t := &Table{config: config.withDefaults()}
	t.states = newLRU[netip.Addr, *State](t.config.MaxExporters)
	return t
}

// newLRU spares callers an error that a positive size rules out.
func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	l, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(fmt.Sprintf("create an LRU list of %d entries: %v", size, err))
	}
	return l
}

// Get returns the state of the exporter at address, which it creates for an
// exporter that is not known, and notes that the exporter was heard of at now. An
// IPv4 address mapped into IPv6 is the same exporter as the IPv4 address.
//
// Callers ask again for every datagram instead of keeping the State: one that was
// evicted in the meantime can still be read and written, but nobody else sees it.
// The cost is a lock and a map look-up.
func (t *Table) Get(address netip.Addr, now time.Time) *State {
	address = address.Unmap()
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.states.Get(address)
	if !ok {
		if t.states.Len() >= t.config.MaxExporters {
			t.evictOldest(exportersCapacity)
		}
		s = &State{table: t}
		t.states.Add(address, s)
		known.Inc()
	}
	s.lastSeen = now
	t.expire(now)
	return s
}

// expire forgets idle exporters. Two a call are enough for a list that grows by at
// most one a call, and keep every call cheap.
func (t *Table) expire(now time.Time) {
	for range 2 {
		_, oldest, ok := t.states.GetOldest()
		if !ok || now.Sub(oldest.lastSeen) < t.config.Idle {
			return
		}
		t.evictOldest(exportersIdle)
	}
}

// evictOldest needs t.mu.
func (t *Table) evictOldest(reason prometheus.Counter) {
	_, s, ok := t.states.RemoveOldest()
	if !ok {
		return
	}
	t.bytes -= s.bytes
	memory.Sub(float64(s.bytes))
	known.Dec()
	s.evicted = true
	reason.Inc()
}

// charge notes that s has grown by so many bytes, and makes room for them.
func (t *Table) charge(s *State, bytes int) {
	if bytes == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.evicted {
		return
	}
	s.bytes += bytes
	t.bytes += bytes
	memory.Add(float64(bytes))
	for t.bytes > t.config.MaxBytes && t.states.Len() > 0 {
		t.evictOldest(exportersBytes)
	}
}
