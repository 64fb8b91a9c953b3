package netflow

import (
	"cmp"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Times of a flow are believed from maxAge before the datagram was received (flows
// may be long, and wait long in an exporter) to maxAhead after it (clocks differ).
// Of an exporter whose clock is further off, times by that clock say nothing about
// when a flow was: the time of reception is used in their place. Times since its start
// do not depend on that clock, see atUptime.
const (
	maxAge   = 7 * 24 * time.Hour
	maxAhead = time.Hour
)

// setTimes sets the times of a flow from milliseconds since 1970, where 0 is
// unknown. Where only one of the two is known, it is both.
func (m *message) setTimes(r *flow.Record, start, end int64) {
	first, last := m.believe(start), m.believe(end)
	if last == 0 {
		last = m.received
		if first == 0 {
			first = last
		}
	}
	if first == 0 || first > last {
		first = last
	}
	r.TimeFlowStart, r.TimeFlowEnd = uint64(first), uint64(last)
}

// believe returns a time in seconds, or 0 if it is too far from that of reception.
func (m *message) believe(milliseconds int64) int64 {
	t := milliseconds / 1000
	if t < m.received-int64(maxAge/time.Second) || t > m.received+int64(maxAhead/time.Second) {
		return 0
	}
	return max(t, 0)
}

// setClock notes what the header says of the exporter's clock, in milliseconds since
// 1970. Where that cannot be believed, the message was written when it was received:
// how long ago a flow was is known all the same.
func (m *message) setClock(exported int64) {
	m.exported, m.written = exported, exported
	if m.believe(exported) == 0 {
		m.written = m.received * 1000
	}
}

// atUptime returns when the exporter had been running for so many milliseconds. The
// counter wraps every 49.7 days, and flows may end a little after the header was
// written: what is meant is the moment closest to that of the header.
func (m *message) atUptime(uptime uint32) int64 {
	return m.written - int64(int32(m.uptime-uptime))
}

// times returns start and end of the record's flow in milliseconds since 1970, 0
// where it does not say. What is reported of a moment, as an event of a firewall or a
// translator is, or a single packet, has the time of observation, which is the end.
func (m *message) times(v *values) (start, end int64) {
	if v.parts&partClock != 0 {
		start, end = m.clock(&v.start), m.clock(&v.end)
	}
	if v.parts&partStart != 0 && start == 0 {
		start = m.relative(v, v.firstUptime)
	}
	if v.parts&partEnd != 0 && end == 0 {
		end = m.relative(v, v.lastUptime)
	}
	if v.parts&partClock != 0 && end == 0 {
		end = m.clock(&v.observed)
	}
	return start, end
}

// clock returns the most exact form in which a time was sent.
func (m *message) clock(at *moment) int64 {
	switch {
	case at.milliseconds != 0:
		return int64(at.milliseconds)
	case at.ntp != 0:
		return ntpMilliseconds(at.ntp)
	case at.seconds != 0:
		return int64(at.seconds * 1000)
	case at.ago != 0:
		return m.written - int64(at.ago/1000)
	}
	return 0
}

// relative returns when the exporter had been running for so many milliseconds.
// IPFIX messages do not carry the uptime: it follows from the time of start, without
// which the result is 0, unknown.
func (m *message) relative(v *values, uptime uint32) int64 {
	if m.version == 10 {
		boot := cmp.Or(v.boot, m.boot)
		if boot == 0 {
			return 0
		}
		m.uptime = uint32(m.exported - int64(boot))
	}
	return m.atUptime(uptime)
}

// ntpEpoch is 1970-01-01 in the seconds since 1900 that NTP counts.
const ntpEpoch = 2_208_988_800

// ntpMilliseconds reads a time in NTP format (RFC 7011 sections 6.1.9 and 6.1.10):
// seconds since 1900 and a binary fraction. The subtraction wraps like the seconds
// do in 2036, so it is right until 2106.
func ntpMilliseconds(t uint64) int64 {
	seconds := uint32(t>>32) - ntpEpoch
	return int64(seconds)*1000 + int64((t&0xffffffff)*1000>>32)
}
