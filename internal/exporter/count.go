package exporter

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// counters are what is counted of one exporter, or of all that have none of their own.
type counters struct {
	protocols    [len(flow.Protocols)]protocolCounters
	limitedFlows atomic.Uint64
	unsampled    atomic.Uint64 // packets
}

type protocolCounters struct {
	datagrams, bytes, records, unrated atomic.Uint64
	lost, late, away                   atomic.Uint64 // in the protocol's unit, see unit
	duplicates, restarts               atomic.Uint64
	templateMisses                     atomic.Uint64
}

func (c *counters) of(p flow.Protocol) *protocolCounters { return &c.protocols[p] }

// protocolOf returns the protocol with templates that has this version.
func protocolOf(version uint16) flow.Protocol {
	if version == 9 {
		return flow.NetFlow9
	}
	return flow.IPFIX
}

// unit returns what the sequence numbers of a protocol count.
func unit(p flow.Protocol) string {
	if p == flow.NetFlow5 || p == flow.IPFIX {
		return "records"
	}
	return "datagrams"
}

// Received counts one datagram of so many bytes.
func (s *State) Received(p flow.Protocol, bytes int) {
	c := s.counters.Load().of(p)
	c.datagrams.Add(1)
	c.bytes.Add(uint64(bytes))
}

// AddRecords counts n flow records that were decoded and emitted, of which unrated
// have a sampling rate that nobody knows.
func (s *State) AddRecords(p flow.Protocol, n, unrated int) {
	c := s.counters.Load().of(p)
	c.records.Add(uint64(n))
	if unrated > 0 {
		c.unrated.Add(uint64(unrated))
	}
}

// AddUnsampled counts packets that an sFlow agent says it could not sample.
func (s *State) AddUnsampled(packets uint64) { s.counters.Load().unsampled.Add(packets) }

// streamKey: the streams of two protocols know nothing of each other.
type streamKey struct {
	stream   uint32
	protocol flow.Protocol
}

// Sequence notes the sequence number of a datagram. Stream tells apart what counts on
// its own: the source id of NetFlow v9, the observation domain of IPFIX, the engine of
// NetFlow v5, the sub-agent id of sFlow. Units is by how much the number grows from
// this datagram to the next: 1 (sFlow, v9), flow records (v5) or data records (IPFIX),
// or UnknownUnits.
func (s *State) Sequence(p flow.Protocol, stream uint32, sequence, units uint32) {
	v := s.observe(streamKey{stream, p}, sequence, units)
	if v == (verdict{}) {
		return
	}
	c := s.counters.Load().of(p)
	c.lost.Add(uint64(v.lost))
	c.late.Add(uint64(v.late))
	c.away.Add(uint64(v.away))
	if v.duplicate {
		c.duplicates.Add(1)
	}
	if v.restarted {
		c.restarts.Add(1)
	}
}

func (s *State) observe(key streamKey, sequence, units uint32) verdict {
	s.mu.Lock()
	defer s.unlock()
	l := s.limits(s.table.config.MaxStreams)
	numbers, ok := s.streams.get(key, l, s.now())
	if !ok {
		numbers = &stream{}
		if s.streams.set(key, numbers, streamBytes, l, s.now()) {
			streamsCapacity.Inc()
		}
	}
	return numbers.observe(sequence, units)
}

// Keep decides by the exporter's flow limit whether a flow is kept, and by what its
// sampling rate has to be multiplied then: 1 without a limit. What is not kept is
// counted.
func (s *State) Keep(now time.Time) (keep bool, factor uint64) {
	limit := s.override.Load().MaxFlowsPerSecond
	if limit == 0 {
		return true, 1
	}
	s.mu.Lock()
	if s.limiter == nil {
		s.limiter = newLimiter(uint64(limit), rand.Uint64())
	}
	keep, factor = s.limiter.keep(now.UnixNano())
	s.mu.Unlock()
	if !keep {
		s.counters.Load().limitedFlows.Add(1)
	}
	return keep, factor
}

// list gives an established exporter counters of its own, as long as there are not too
// many. What it counted before stays with the rest: no counter ever goes back. It needs
// t.mu, as unlist does.
func (t *Table) list(s *State) {
	if t.listed < t.config.MaxSeries && s.counters.Load() == &t.rest {
		t.listed++
		s.counters.Store(&counters{})
	}
}

// unlist gives up the counters of an exporter that is forgotten.
func (t *Table) unlist(s *State) {
	if s.counters.Swap(&t.rest) != &t.rest {
		t.listed--
	}
}
