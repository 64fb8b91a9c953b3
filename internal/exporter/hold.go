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
		Help: "Data sets whose template was unknown, by what became of them: released (the template came, they were decoded), expired (it did not come in time), evicted (the exporter was forgotten meanwhile), refused (no room to keep them) or stopped (the collector ended before). All but released are flows lost: make the exporter send its templates more often.",
	}, []string{"outcome"})
	heldReleased = heldOutcomes.WithLabelValues("released")
	heldExpired  = heldOutcomes.WithLabelValues("expired")
	heldEvicted  = heldOutcomes.WithLabelValues("evicted")
	heldRefused  = heldOutcomes.WithLabelValues("refused")
	heldStopped  = heldOutcomes.WithLabelValues("stopped")

	heldNow = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_held_sets",
		Help: "Data sets that wait for their template at the moment.",
	})
	heldNowBytes = promauto.NewGauge(prometheus.GaugeOpts{
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
	Body     []byte // of the set, as the decoder gave it
}

func (h Held) bytes() int { return heldOverhead + len(h.Body) }

// maxHeldBytes bounds what waits of one exporter: several seconds of a busy one.
const maxHeldBytes = 256 << 10

// waitingSets are the data sets of one exporter that wait, by what they wait for and
// the oldest first.
type waitingSets struct {
	sets  map[templateKey][]Held
	count int
	bytes int
	since time.Time // none was received before
}

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
	if s.gone || s.waiting.bytes+size > maxHeldBytes || !s.table.reserve(size) {
		heldRefused.Inc()
		return false
	}
	h.Body = slices.Clone(h.Body)
	s.waiting.add(templateKey{domain, version, id}, h)
	heldNow.Inc()
	heldNowBytes.Add(float64(size))
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

func (w *waitingSets) add(key templateKey, h Held) {
	if w.count == 0 {
		w.sets, w.since = make(map[templateKey][]Held), h.Received
	}
	w.sets[key] = append(w.sets[key], h)
	w.count++
	w.bytes += h.bytes()
}

// Release hands back the data sets that were held for a template, oldest first, and
// forgets them; those that have waited for too long it only forgets. Where nothing is
// held it costs almost nothing, else a map look-up.
func (s *State) Release(version uint16, domain uint32, id uint16, now time.Time) []Held {
	if s.holds.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.unlock()
	key := templateKey{domain, version, id}
	released := slices.DeleteFunc(s.waiting.sets[key], func(h Held) bool {
		expired := now.Sub(h.Received) >= s.table.config.TemplateWait
		if expired {
			s.letGo(&h, heldExpired)
		} else {
			s.letGo(&h, heldReleased)
		}
		return expired
	})
	delete(s.waiting.sets, key)
	return released
}

// expireHeld forgets the sets that have waited for too long. It leaves it to the
// caller, who has the table's lock, to settle.
func (s *State) expireHeld(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.waiting.since) < s.table.config.TemplateWait {
		return
	}
	s.waiting.since = now
	s.dropHeld(heldExpired, func(h *Held) bool {
		if now.Sub(h.Received) >= s.table.config.TemplateWait {
			return true
		}
		if h.Received.Before(s.waiting.since) {
			s.waiting.since = h.Received
		}
		return false
	})
	s.size.Store(s.measure())
	s.holds.Store(int32(s.waiting.count))
}

// DropHeld forgets all sets that still wait, and counts them: the collector ends.
func (t *Table) DropHeld() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.holding {
		s.mu.Lock()
		s.dropHeld(heldStopped, func(*Held) bool { return true })
		s.size.Store(s.measure())
		s.holds.Store(int32(s.waiting.count))
		s.mu.Unlock()
		t.settle(s)
	}
}

// dropHeld forgets the sets that drop says, and counts that as outcome.
func (s *State) dropHeld(outcome prometheus.Counter, drop func(*Held) bool) {
	for key, sets := range s.waiting.sets {
		left := slices.DeleteFunc(sets, func(h Held) bool {
			if !drop(&h) {
				return false
			}
			s.letGo(&h, outcome)
			return true
		})
		if len(left) == 0 {
			delete(s.waiting.sets, key)
		} else {
			s.waiting.sets[key] = left
		}
	}
}

// letGo accounts for a set that is held no longer.
func (s *State) letGo(h *Held, outcome prometheus.Counter) {
	size := h.bytes()
	s.waiting.count--
	s.waiting.bytes -= size
	s.table.heldBytes.Add(-int64(size))
	heldNow.Dec()
	heldNowBytes.Sub(float64(size))
	outcome.Inc()
}
