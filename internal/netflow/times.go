package netflow

import (
	"encoding/binary"
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

// atUptime returns when the exporter had been running for so many milliseconds. The
// counter wraps every 49.7 days, and flows may end a little after the header was
// written: what is meant is the moment closest to that of the header. Where the
// header's clock cannot be believed, it was written when it was received: how long ago
// the flow was is known all the same.
func (m *message) atUptime(uptime uint32) int64 {
	written := m.exported
	if m.believe(written) == 0 {
		written = m.received * 1000
	}
	return written - int64(int32(m.uptime-uptime))
}

// times returns start and end of the record's flow in milliseconds since 1970, 0
// where it does not say.
func (m *message) times(v *values) (start, end int64) {
	start, end = int64(v.start), int64(v.end)
	if start == 0 && v.hasFirstUptime {
		start = m.relative(v, v.firstUptime)
	}
	if end == 0 && v.hasLastUptime {
		end = m.relative(v, v.lastUptime)
	}
	return start, end
}

// relative returns when the exporter had been running for so many milliseconds.
// IPFIX messages do not carry the uptime: it follows from the time of start, without
// which the result is 0, unknown.
func (m *message) relative(v *values, uptime uint32) int64 {
	if m.version == 9 {
		return m.atUptime(uptime)
	}
	if v.boot == 0 {
		return 0
	}
	m.uptime = uint32(m.exported - int64(v.boot))
	return m.atUptime(uptime)
}

// ntpEpoch is 1970-01-01 in the seconds since 1900 that NTP counts.
const ntpEpoch = 2_208_988_800

// ntpMilliseconds reads a time in NTP format (RFC 7011 sections 6.1.9 and 6.1.10):
// seconds since 1900 and a binary fraction. The subtraction wraps like the seconds
// do in 2036, so it is right until 2106.
func ntpMilliseconds(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	seconds := binary.BigEndian.Uint32(b) - ntpEpoch
	fraction := uint64(binary.BigEndian.Uint32(b[4:]))
	return uint64(seconds)*1000 + fraction*1000>>32
}
