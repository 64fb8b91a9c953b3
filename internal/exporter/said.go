package exporter

import (
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
)

// SetBoot remembers when a domain of an IPFIX exporter was started, in milliseconds
// since 1970, for flows whose times are relative to that: systemInitTimeMilliseconds
// of options data. 0 is no time, and never replaces one.
func (s *State) SetBoot(domain uint32, boot uint64) {
	if boot == 0 {
		return
	}
	s.mu.Lock()
	defer s.unlock()
	s.setBoot(domain, boot, s.now())
}

func (s *State) setBoot(domain uint32, boot uint64, now int64) {
	l := s.limits(s.table.config.MaxSamplers)
	if old, ok := s.boots.get(domain, l, now); ok && old == boot {
		return
	}
	if s.boots.set(domain, boot, bootBytes, l, now) {
		bootsCapacity.Inc()
	}
	s.changed()
}

// Boot returns what SetBoot remembered of the domain, 0 if nothing.
func (s *State) Boot(domain uint32) uint64 {
	s.mu.Lock()
	defer s.unlock()
	boot, _ := s.boots.get(domain, s.limits(s.table.config.MaxSamplers), s.now())
	return boot
}

// SetApplication remembers the name of an application, which exporters say in options
// data (RFC 6759): id is the applicationId as one number. No more than flow.MaxName
// bytes of the name are kept. An empty name is none, and never replaces one.
func (s *State) SetApplication(id uint64, name string) {
	if name == "" {
		return
	}
	s.mu.Lock()
	defer s.unlock()
	s.setApplication(id, name, s.now())
}

func (s *State) setApplication(id uint64, name string, now int64) {
	// Cut in the middle of a letter, it would be no string for protobuf.
	name = strings.ToValidUTF8(name[:min(len(name), flow.MaxName)], "")
	l := s.limits(s.table.config.MaxApplications)
	if old, ok := s.applications.get(id, l, now); ok && old == name {
		return
	}
	// The clone lets go of what the name was cut from.
	if s.applications.set(id, strings.Clone(name), applicationBytes+len(name), l, now) {
		applicationsCapacity.Inc()
	}
	s.changed()
}

// Application returns the name that SetApplication remembered, "" if none.
func (s *State) Application(id uint64) string {
	s.mu.Lock()
	defer s.unlock()
	name, _ := s.applications.get(id, s.limits(s.table.config.MaxApplications), s.now())
	return name
}
