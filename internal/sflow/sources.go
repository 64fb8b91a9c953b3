package sflow

import (
	"hash/maphash"
	"net/netip"
)

// sources remembers the numbers in the last sample of every data source, which is
// where an agent takes samples: an interface, a VLAN ... It is a cache of fixed size:
// a source has its place in one of four entries, which lie in one line of the
// processor's cache, and may lose it to another source. That loses what was lost until
// both were heard of again, and nobody can make it grow.
type sources struct {
	seed  maphash.Seed
	agent uint64 // hash of the datagram's agent and sub-agent
	sets  []sourceSet
}

type sourceSet [4]lastSample

// lastSample is known by a hash instead of its data source: that two of 65,536 have
// the same one of 64 bits is less likely than that a datagram lies.
type lastSample struct {
	source          uint64
	sequence, drops uint32
}

// setBits makes 16,384 sets, for the ports of a thousand large switches in 1 MiB.
const setBits = 14

func newSources() sources {
	return sources{seed: maphash.MakeSeed(), sets: make([]sourceSet, 1<<setBits)}
}

// setAgent says whose sources the following samples are about.
func (s *sources) setAgent(agent netip.Addr, subAgent uint32) {
	s.agent = maphash.Comparable(s.seed, agent) + uint64(subAgent)<<32
}

// find returns the entry of a source by its type and index, and whether it was one
// of this source before.
func (s *sources) find(kind, index uint32) (entry *lastSample, known bool) {
	source := mix(mix(uint64(kind)<<32|uint64(index)) ^ s.agent)
	set := &s.sets[source>>(64-setBits)]
	for i := range set {
		if set[i].source == source {
			return &set[i], true
		}
	}
	entry = &set[source%uint64(len(set))]
	for i := range set {
		if set[i].source == 0 {
			entry = &set[i]
			break
		}
	}
	*entry = lastSample{source: source}
	return entry, false
}

// mix spreads every bit of v over all of the result (the end of MurmurHash3).
func mix(v uint64) uint64 {
	v = (v ^ v>>33) * 0xff51afd7ed558ccd
	v = (v ^ v>>33) * 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

// note returns how many samples of a source are missing between the one before and
// this one, and by how much its count of drops has grown. Both numbers wrap around. A
// step that is too large to be believed is an agent that was restarted, and a small
// one backwards is a datagram that was overtaken; neither says anything about losses.
func (s *sources) note(h *sampleHeader) (lost, drops uint32) {
	const (
		largestGap = 1 << 16
		overtaken  = 1 << 8
	)
	last, known := s.find(h.sourceType, h.source)
	ahead, behind := h.sequence-last.sequence, last.sequence-h.sequence
	if known && 0 < behind && behind <= overtaken {
		return 0, 0
	}
	if known && ahead <= largestGap {
		lost = max(ahead, 1) - 1
		if grown := h.drops - last.drops; grown < 1<<31 {
			drops = grown
		}
	}
	last.sequence, last.drops = h.sequence, h.drops
	return lost, drops
}
