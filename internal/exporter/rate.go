package exporter

import (
	"cmp"

	"github.com/leoluk/NetMeta/pb"
)

type domainKey struct {
	domain  uint32
	version uint16
}

// samplerKey has sampler 0 for the rate of the domain itself.
type samplerKey struct {
	domainKey
	sampler uint64
}

// SetRate remembers that the sampler takes one packet in rate. Sampler 0 stands
// for exporters that give their domain one rate and name no sampler. A rate of 0
// is no rate, and never replaces one.
func (s *State) SetRate(version uint16, domain uint32, sampler, rate uint64) {
	if rate == 0 {
		return
	}
	s.mu.Lock()
	defer s.unlock()
	s.setRate(samplerKey{domainKey{domain, version}, sampler}, rate, s.now())
}

func (s *State) setRate(key samplerKey, rate uint64, now int64) {
	l := s.limits(s.table.config.MaxSamplers)
	if s.rates.expire(l, now) > 0 {
		clear(s.agreed)
	}
	if old, ok := s.rates.get(key, l, now); ok && old == rate {
		return
	}
	clear(s.agreed)
	if s.rates.set(key, rate, samplerBytes, l, now) {
		samplersCapacity.Inc()
	}
	s.changed()
}

// Rate returns the sampling rate for a record, in packets per sample and never 0,
// and where it came from. Sampler is the one that the record names, or 0; said is
// the rate that the record, sample or message itself gives, or 0.
//
// The first of these holds:
//
//   - the rate that is forced on the exporter by its Override (RATE_CONFIGURED)
//   - said (RATE_PACKET)
//   - what options data said of that sampler, then of its domain; for a record that
//     names no sampler, the rate that all samplers of the domain have in common,
//     because many exporters name their only sampler in options data but not in
//     records (RATE_OPTIONS)
//   - the default in the exporter's Override, then that of the table (RATE_CONFIGURED)
//   - 1 (RATE_UNKNOWN)
func (s *State) Rate(version uint16, domain uint32, sampler, said uint64) (uint64, pb.FlowMessage_RateSource) {
	rate, source := s.rate(domainKey{domain, version}, sampler, said)
	if s.inUse.Load() != rate {
		s.inUse.Store(rate)
	}
	return rate, source
}

func (s *State) rate(domain domainKey, sampler, said uint64) (uint64, pb.FlowMessage_RateSource) {
	override := s.override.Load()
	if rate := override.SamplingRate; rate > 0 {
		return uint64(rate), pb.FlowMessage_RATE_CONFIGURED
	}
	if said > 0 {
		return said, pb.FlowMessage_RATE_PACKET
	}
	if rate := s.optionsRate(domain, sampler); rate > 0 {
		return rate, pb.FlowMessage_RATE_OPTIONS
	}
	if rate := cmp.Or(uint64(override.DefaultSamplingRate), s.table.config.DefaultRate); rate > 0 {
		return rate, pb.FlowMessage_RATE_CONFIGURED
	}
	return 1, pb.FlowMessage_RATE_UNKNOWN
}

// optionsRate returns 0 where options data said nothing that fits.
func (s *State) optionsRate(domain domainKey, sampler uint64) uint64 {
	s.mu.Lock()
	defer s.unlock()
	if s.rates.len() == 0 {
		return 0
	}
	l, now := s.limits(s.table.config.MaxSamplers), s.now()
	if rate, ok := s.rates.get(samplerKey{domain, sampler}, l, now); ok {
		return rate
	}
	if sampler == 0 {
		return s.agreedRate(domain, l, now)
	}
	rate, _ := s.rates.get(samplerKey{domain, 0}, l, now)
	return rate
}

// agreement is the rate that the samplers of a domain have in common.
type agreement struct {
	rate  uint64
	until int64 // when it has to be worked out again, nanoseconds since 1970
}

// agreedRate returns the rate that all samplers of the domain have in common, 0 if
// they differ or there is none. Working that out counts as use of them all; what was
// worked out holds until one of them changes or is forgotten, but only for a part of
// their lifetime, so that those in use do not come to its end.
func (s *State) agreedRate(domain domainKey, l limits, now int64) uint64 {
	if a, ok := s.agreed[domain]; ok && now < a.until {
		return a.rate
	}
	var agreed uint64
	for key := range s.rates.all() {
		if key.domainKey != domain {
			continue
		}
		rate, ok := s.rates.get(key, l, now)
		if !ok {
			continue
		}
		if agreed != 0 && agreed != rate {
			agreed = 0
			break
		}
		agreed = rate
	}
	// Domains come from the network too, also those that have no rates: no more are
	// kept than there are rates, whose estimated size includes theirs.
	if len(s.agreed) >= s.rates.len() {
		clear(s.agreed)
	}
	if s.agreed == nil {
		s.agreed = make(map[domainKey]agreement)
	}
	s.agreed[domain] = agreement{agreed, now + l.lifetime/24}
	return agreed
}
