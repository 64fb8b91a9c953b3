package exporter

import "github.com/leoluk/NetMeta/pb"

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
	key := samplerKey{domainKey{domain, version}, sampler}
	s.mu.Lock()
	if s.rates == nil {
		s.rates = newLRU[samplerKey, uint64](s.table.config.MaxSamplers)
		s.agreed = make(map[domainKey]uint64)
	}
	grown := 0
	old, ok := s.rates.Get(key)
	if !ok {
		grown = samplerBytes
	}
	if old != rate {
		clear(s.agreed)
		if s.rates.Add(key, rate) {
			grown = 0
			samplersCapacity.Inc()
		}
	}
	s.mu.Unlock()

	s.table.charge(s, grown)
}

// Rate returns the sampling rate for a record, in packets per sample and never 0,
// and where it came from. Sampler is the one that the record names, or 0; said is
// the rate that the record, sample or message itself gives, or 0.
//
// What the exporter says about the very packets comes first (RATE_PACKET), then
// what its options data say (RATE_OPTIONS), then the configuration.
//
// The most specific wins: what options data said of that sampler, then of its
// domain; then, for a record that names no sampler, the rate that all samplers of
// the domain have in common, because many exporters name their only sampler in
// options data but not in records; then the configured default. Else the rate is
// 1 and RATE_UNKNOWN.
func (s *State) Rate(version uint16, domain uint32, sampler, said uint64) (uint64, pb.FlowMessage_RateSource) {
	if said > 0 {
		return said, pb.FlowMessage_RATE_PACKET
	}
	if rate := s.optionsRate(domainKey{domain, version}, sampler); rate > 0 {
		return rate, pb.FlowMessage_RATE_OPTIONS
	}
	if rate := s.table.config.DefaultRate; rate > 0 {
		return rate, pb.FlowMessage_RATE_CONFIGURED
	}
	return 1, pb.FlowMessage_RATE_UNKNOWN
}

// optionsRate returns 0 where options data said nothing that fits.
func (s *State) optionsRate(domain domainKey, sampler uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rates == nil {
		return 0
	}
	if rate, ok := s.rates.Get(samplerKey{domain, sampler}); ok {
		return rate
	}
	if sampler == 0 {
		return s.agreedRate(domain)
	}
	rate, _ := s.rates.Get(samplerKey{domain, 0})
	return rate
}

// agreedRate returns the rate that all samplers of the domain have in common, 0 if
// they differ or there is none.
func (s *State) agreedRate(domain domainKey) uint64 {
	if rate, ok := s.agreed[domain]; ok {
		return rate
	}
	var agreed uint64
	for _, key := range s.rates.Keys() {
		if key.domainKey != domain {
			continue
		}
		rate, _ := s.rates.Peek(key)
		if agreed != 0 && agreed != rate {
			agreed = 0
			break
		}
		agreed = rate
	}
	// Domains come from the network too, also those that have no rates: no more are
	// kept than there are rates, whose estimated size includes theirs.
	if len(s.agreed) >= s.rates.Len() {
		clear(s.agreed)
	}
	s.agreed[domain] = agreed
	return agreed
}
