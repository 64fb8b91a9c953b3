package exporter

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	heldOutcomes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_exporter_held_sets_total",
		Help: "Data sets whose template was unknown, by what became of them: released (the template came, they were decoded), expired (it did not come in time), evicted (the exporter was forgotten meanwhile) or refused (no room to keep them). All but released are flows lost: make the exporter send its templates more often.",
	}, []string{"outcome"})
	heldReleased = heldOutcomes.WithLabelValues("released")
	heldExpired  = heldOutcomes.WithLabelValues("expired")
	heldEvicted  = heldOutcomes.WithLabelValues("evicted")
	heldRefused  = heldOutcomes.WithLabelValues("refused")

	waiting = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_held_sets",
		Help: "Data sets that wait for their template at the moment.",
	})
	waitingBytes = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_held_bytes",
		Help: "Estimated size of the data sets that wait for their template at the moment.",
	})
)

// Held is a data set that waits for its template, with what its datagram said that
// is needed to read it later.
type Held struct {
	Received time.Time
	Exported int64  // the exporter's clock, milliseconds since 1970
	Uptime   uint32 // of the exporter, milliseconds
	Sequence uint32 // of the datagram
	Body     []byte // of the set, without its header
}

func (h Held) bytes() int { return heldOverhead + len(h.Body) }

type heldSet struct {
	templateKey
	Held
}

// maxHeldBytes bounds what waits of one exporter: several seconds of a busy one.
const maxHeldBytes = 256 << 10

// Hold keeps a data set whose template is unknown until Release is called for that
// template. It copies the body. It reports false where there is no room: the set was
// not kept. The first to come are those that are kept, because the later ones are more
// likely to find the template there.
//
// Every call counts as one template miss of the exporter.
func (s *State) Hold(version uint16, domain uint32, id uint16, h Held) bool {
	s.counters.Load().of(protocolOf(version)).templateMisses.Add(1)
	s.mu.Lock()
	defer s.unlock()
	size := h.bytes()
	if s.gone || s.heldBytes+size > maxHeldBytes || !s.table.reserve(size) {
		heldRefused.Inc()
		return false
	}
	h.Body = slices.Clone(h.Body)
	s.held = append(s.held, heldSet{templateKey{domain, version, id}, h})
	s.heldBytes += size
	waiting.Inc()
	waitingBytes.Add(float64(size))
	return true
}

// reserve notes that so many bytes more are held, unless that is too much in all.
func (t *Table) reserve(bytes int) bool {
	if t.heldBytes.Add(int64(bytes)) > int64(t.config.MaxHeld) {
		t.heldBytes.Add(-int64(bytes))
		return false
	}
	return true
}

// Release hands back the data sets that were held for a template, oldest first, and
// forgets them; those that have waited for too long it only forgets. It is cheap where
// nothing is held.
func (s *State) Release(version uint16, domain uint32, id uint16, now time.Time) []Held {
	if s.holds.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.unlock()
	var released []Held
	key := templateKey{domain, version, id}
	s.filterHeld(func(h heldSet) prometheus.Counter {
		switch {
		case now.Sub(h.Received) >= s.table.config.TemplateWait:
			return heldExpired
		case h.templateKey == key:
			released = append(released, h.Held)
			return heldReleased
		}
		return nil
	})
	return released
}

// expireHeld forgets the sets that have waited for too long. It leaves it to the
// caller, who has the table's lock, to settle.
func (s *State) expireHeld(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.held) == 0 || now.Sub(s.held[0].Received) < s.table.config.TemplateWait {
		return
	}
	s.filterHeld(func(h heldSet) prometheus.Counter {
		if now.Sub(h.Received) >= s.table.config.TemplateWait {
			return heldExpired
		}
		return nil
	})
	s.size.Store(s.measure())
	s.holds.Store(int32(len(s.held)))
}

// dropHeld forgets all sets and counts that as outcome.
func (s *State) dropHeld(outcome prometheus.Counter) {
	s.filterHeld(func(heldSet) prometheus.Counter { return outcome })
}

// filterHeld forgets the sets that outcome has a counter for, and counts them there.
// It needs s.mu.
func (s *State) filterHeld(outcome func(heldSet) prometheus.Counter) {
	s.held = slices.DeleteFunc(s.held, func(h heldSet) bool {
		counter := outcome(h)
		if counter == nil {
			return false
		}
		counter.Inc()
		size := h.bytes()
		s.heldBytes -= size
		s.table.heldBytes.Add(-int64(size))
		waiting.Dec()
		waitingBytes.Sub(float64(size))
		return true
	})
	if len(s.held) == 0 {
		s.held = nil
	}
}
