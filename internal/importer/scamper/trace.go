package scamper

import (
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Methods and reasons to stop by their numbers; JSON has them in these words, reasons in
// capitals.
var (
	traceMethods = [...]string{1: "icmp-echo", 2: "udp", 3: "tcp", 4: "icmp-echo-paris", 5: "udp-paris", 6: "tcp-ack"}
	traceStops   = [...]string{"none", "completed", "unreach", "icmp", "loop", "gaplimit", "error", "hoplimit", "gss", "halted"}
)

// word returns a word by its number, "unknown" where there is none.
func word(words []string, number uint32) string {
	if int(number) >= len(words) || words[number] == "" {
		return "unknown"
	}
	return words[number]
}

// Flags of a trace, in their order.
const (
	traceList = iota + 1
	traceCycle
	traceSrcNumber // deprecated
	traceDstNumber
	traceStart
	traceStopReason
	traceStopData
	traceFlags
	traceAttempts
	traceHopLimit
	traceMethod
	traceProbeSize
	traceSrcPort
	traceDstPort
	traceFirstHop
	traceTOS
	traceWait
	traceLoops
	traceHopCount
	traceGapLimit
	traceGapAction
	traceLoopAction
	traceProbes
	traceWaitProbe
	traceConfidence
	traceSrc
	traceDst
	traceUserID
	traceOffset
	traceRouter
)

// traceSizes are how long values are that are not needed.
var traceSizes = [...]int{
	traceStopData: 1, traceFlags: 1, traceAttempts: 1, traceHopLimit: 1, traceProbeSize: 2, traceSrcPort: 2, traceDstPort: 2,
	traceFirstHop: 1, traceTOS: 1, traceWait: 1, traceLoops: 1, traceHopCount: 2, traceGapLimit: 1, traceGapAction: 1,
	traceLoopAction: 1, traceWaitProbe: 1, traceConfidence: 1, traceOffset: 2,
}

// trace decodes a traceroute. It returns false where it has more hops than can be stored.
func (w *warts) trace(c *cursor, t *flow.Trace) bool {
	t.Kind = pb.Trace_TRACE
	w.traceParams(c, t)
	n := int(c.uint16())
	if n > flow.MaxHops {
		return false
	}
	for range n {
		w.hop(c, t)
		if c.bad || len(t.MPLSLabel) > flow.MaxLabels {
			break
		}
	}
	t.Replies = uint32(len(t.HopAddress))
	return len(t.MPLSLabel) <= flow.MaxLabels
}

func (w *warts) traceParams(c *cursor, t *flow.Trace) {
	p := c.params()
	t.StopReason, t.Method = traceStops[0], "unknown"
	for flag := p.next(); flag != 0 && flag <= traceRouter; flag = p.next() {
		switch flag {
		case traceList:
			w.listed(p.uint32(), t)
		case traceCycle:
			w.cycled(p.uint32(), t)
		case traceSrcNumber:
			t.SrcAddr = w.global.find(&p.cursor)
		case traceDstNumber:
			t.DstAddr = w.global.find(&p.cursor)
		case traceStart:
			t.Time = uint64(p.uint32())
			p.uint32() // microseconds
		case traceStopReason:
			t.StopReason = word(traceStops[:], p.uint8())
		case traceMethod:
			t.Method = word(traceMethods[:], p.uint8())
		case traceProbes:
			t.Sent = p.uint16()
		case traceSrc:
			t.SrcAddr = w.local.read(&p.cursor)
		case traceDst:
			t.DstAddr = w.local.read(&p.cursor)
		case traceUserID:
			t.UserID = p.uint32()
		case traceRouter:
			w.local.read(&p.cursor) // which later ones may refer to
		default:
			p.take(traceSizes[flag])
		}
	}
	c.bad = c.bad || p.bad
}

// Flags of a hop, in their order.
const (
	hopNumber = iota + 1 // deprecated
	hopTTL
	hopReplyTTL
	hopFlags
	hopAttempt
	hopRTT
	hopICMP
	hopProbeSize
	hopReplySize
	hopReplyID
	hopReplyTOS
	hopMTU
	hopQuotedLength
	hopQuotedTTL
	hopTCPFlags
	hopQuotedTOS
	hopExtensions
	hopAddress
)

var hopSizes = [...]int{
	hopFlags: 1, hopProbeSize: 2, hopReplySize: 2, hopReplyID: 2, hopReplyTOS: 1, hopMTU: 2, hopQuotedLength: 2,
	hopQuotedTTL: 1, hopTCPFlags: 1, hopQuotedTOS: 1,
}

func (w *warts) hop(c *cursor, t *flow.Trace) {
	var ttl, reply, rtt, icmp uint32
	var address netip.Addr
	attempt := uint32(1)
	p := c.params()
	for flag := p.next(); flag != 0 && flag <= hopAddress; flag = p.next() {
		switch flag {
		case hopNumber:
			address = w.global.find(&p.cursor)
		case hopTTL:
			ttl = p.uint8()
		case hopReplyTTL:
			reply = p.uint8()
		case hopAttempt:
			attempt = p.uint8() + 1
		case hopRTT:
			rtt = p.uint32()
		case hopICMP:
			icmp = p.uint16()
		case hopExtensions:
			extensions(p.take(int(p.uint16())), t)
		case hopAddress:
			address = w.local.read(&p.cursor)
		default:
			p.take(hopSizes[flag])
		}
	}
	if c.bad = c.bad || p.bad; c.bad {
		return
	}
	t.HopTTL, t.HopAttempt, t.HopAddress = append(t.HopTTL, ttl), append(t.HopAttempt, attempt), append(t.HopAddress, address)
	t.HopRTT, t.HopReplyTTL = append(t.HopRTT, rtt), append(t.HopReplyTTL, reply)
	t.HopICMPType, t.HopICMPCode = append(t.HopICMPType, icmp>>8), append(t.HopICMPCode, icmp&0xff)
}

// extensions reads the MPLS labels (RFC 4950) of the hop that comes next out of ICMP
// extensions, each behind its length, class and type. Others are nothing that is stored.
func extensions(b []byte, t *flow.Trace) {
	const class, kind, entry = 1, 1, 4
	hop := uint32(len(t.HopAddress) + 1)
	for c := (cursor{b: b}); len(c.b) > 0; {
		size := int(c.uint16())
		isLabels := c.uint16() == class<<8|kind
		data := c.take(size)
		for ; isLabels && len(data) >= entry; data = data[entry:] {
			t.MPLSHop = append(t.MPLSHop, hop)
			t.MPLSLabel = append(t.MPLSLabel, binary.BigEndian.Uint32(data)>>12)
		}
	}
}
