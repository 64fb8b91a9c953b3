package exporter

import (
	"math"
	"slices"
)

// UnknownUnits is what Sequence is told where the records of a datagram cannot be
// counted, because a template is missing: the next number is then taken as it comes.
const UnknownUnits = math.MaxUint32

const (
	// A number further ahead is no gap but another sequence: the exporter was started
	// anew. 2^24 are the records of an outage of some minutes on a very large router.
	farthestGap = 1 << 24
	// After the collector was away for a time that is not known here, gaps are larger.
	farthestAbsence = 1 << 30
	// A number so far back is late or repeated; a number further back another sequence.
	farthestBack = 1 << 13

	// So many datagrams in a row whose numbers belong together, but not to the sequence,
	// are another sequence. One alone may be a straggler. Numbers that are near may be
	// datagrams that the network repeats, until there are very many.
	rowFar  = 2
	rowNear = 16

	// So many gaps are remembered: what is reordered is late by a few datagrams.
	maxGaps = 16
)

// stream follows the sequence numbers of one stream of datagrams, which wrap at 2^32,
// as RFC 3550 appendix A.1 does with those of RTP. A datagram has a number and units,
// by how much the number of the next is greater. The zero value knows nothing yet.
type stream struct {
	next     uint32 // the number that follows the newest datagram
	span     uint32 // numbers before next that are known to have been received or to be in gaps
	known    bool
	open     bool // the units of the newest datagram are unknown: next may be any amount greater
	restored bool // next was saved by an earlier run of the collector

	gaps    []gap  // oldest first
	row     int    // datagrams in a row that do not fit
	rowNext uint32 // the number that would continue them
}

// gap is numbers that were passed over.
type gap struct{ from, size uint32 }

// verdict is what a number says about the datagrams before it.
type verdict struct {
	lost      uint32 // units passed over; they may still come late
	late      uint32 // units that were passed over earlier and are here now
	away      uint32 // units passed over while no collector was running
	duplicate bool   // the datagram was received before
	restarted bool   // a sequence of numbers has begun that does not continue the last
}

// observe takes the number of the next datagram that was received.
func (s *stream) observe(sequence, units uint32) verdict {
	ahead := int32(sequence - s.next)
	switch {
	case !s.known:
		s.begin(sequence, units)
		return verdict{}
	case s.restored:
		v := verdict{restarted: ahead < 0 || ahead > farthestAbsence}
		if !v.restarted {
			v.away = uint32(ahead)
		}
		s.begin(sequence, units)
		return v
	case ahead < 0 && ahead >= -farthestBack:
		return s.old(sequence, units)
	case ahead < 0 || ahead > farthestGap:
		return verdict{restarted: s.misfit(sequence, units, rowFar)}
	}
	v := verdict{}
	if ahead > 0 && !s.open {
		v.lost = uint32(ahead)
		s.remember(gap{s.next, v.lost})
	}
	s.advance(sequence, units)
	return v
}

// begin starts over with a datagram that is the first known.
func (s *stream) begin(sequence, units uint32) {
	*s = stream{next: sequence, known: true, gaps: s.gaps[:0]}
	s.advance(sequence, units)
}

// advance makes a datagram the newest.
func (s *stream) advance(sequence, units uint32) {
	s.open = units == UnknownUnits
	if s.open {
		units = 0
	}
	s.span = min(s.span+(sequence-s.next)+units, farthestBack)
	s.next = sequence + units
	s.row = 0
}

// old takes a datagram from before the newest.
func (s *stream) old(sequence, units uint32) verdict {
	if units == 0 || units == UnknownUnits {
		// It has no number of its own, or it is not known which.
		return verdict{}
	}
	if late := s.fill(sequence, units); late > 0 {
		s.row = 0
		return verdict{late: late}
	}
	if s.misfit(sequence, units, rowNear) {
		return verdict{restarted: true}
	}
	return verdict{duplicate: s.next-sequence <= s.span}
}

// misfit notes a datagram that does not fit, and begins anew with it if it is the last
// of long enough a row.
func (s *stream) misfit(sequence, units uint32, row int) (restarted bool) {
	if s.row == 0 || sequence-s.rowNext > farthestBack {
		s.row = 0
	}
	s.row++
	if s.row >= row {
		s.begin(sequence, units)
		return true
	}
	s.rowNext = sequence
	if units != UnknownUnits {
		s.rowNext += units
	}
	return false
}

// remember adds a gap.
func (s *stream) remember(g gap) {
	s.gaps = append(s.gaps, g)
	s.boundGaps()
}

// fill takes a late datagram out of its gap and returns how much of the gap it was.
func (s *stream) fill(sequence, units uint32) (late uint32) {
	for i, g := range s.gaps {
		offset := sequence - g.from
		if offset >= g.size {
			continue
		}
		late = min(units, g.size-offset)
		var rest []gap // what is before and what is behind it
		if offset > 0 {
			rest = append(rest, gap{g.from, offset})
		}
		if behind := g.size - offset - late; behind > 0 {
			rest = append(rest, gap{sequence + late, behind})
		}
		s.gaps = slices.Replace(s.gaps, i, i+1, rest...)
		s.boundGaps()
		return late
	}
	return 0
}

// boundGaps forgets the oldest gap where there are too many: nothing is known from then
// on about what was before its end.
func (s *stream) boundGaps() {
	if len(s.gaps) <= maxGaps {
		return
	}
	s.span = min(s.span, s.next-(s.gaps[0].from+s.gaps[0].size))
	s.gaps = slices.Delete(s.gaps, 0, 1)
}
