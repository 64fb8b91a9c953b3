package exporter

// SetBoot remembers when a domain of an IPFIX exporter was started, in milliseconds
// since 1970, for flows whose times are relative to that: systemInitTimeMilliseconds
// of options data. 0 is no time, and never replaces one.
func (s *State) SetBoot(domain uint32, boot uint64) {
	if boot == 0 {
		return
	}
	s.mu.Lock()
	if s.boots == nil {
		s.boots = newLRU[uint32, uint64](s.table.config.MaxSamplers)
	}
	grown := 0
	if !s.boots.Contains(domain) {
		grown = bootBytes
	}
	if s.boots.Add(domain, boot) {
		grown = 0
		bootsCapacity.Inc()
	}
	s.mu.Unlock()

	s.table.charge(s, grown)
}

// Boot returns what SetBoot remembered of the domain, 0 if nothing.
func (s *State) Boot(domain uint32) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boots == nil {
		return 0
	}
	boot, _ := s.boots.Get(domain)
	return boot
}
