package scamper

import (
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

var (
	pingMethods = [...]string{"icmp-echo", "tcp-ack", "tcp-ack-sport", "udp", "udp-dport", "icmp-time", "tcp-syn", "tcp-synack", "tcp-rst"}
	pingStops   = [...]string{"none", "completed", "error", "halted"}
)

// Flags of a ping, in their order.
const (
	pingList = iota + 1
	pingCycle
	pingSrcNumber // deprecated
	pingDstNumber
	pingStart
	pingStopReason
	pingStopData
	pingPatternSize
	pingPattern
	pingProbes
	pingProbeSize
	pingWait
	pingTTL
	pingReplies
	pingSent
	pingMethod
	pingSrcPort
	pingDstPort
	pingUserID
	pingSrc
	pingDst
	pingFlags
	pingTOS
	pingTimestamps
	pingChecksum
	pingMTU
	pingTimeout
	pingWaitMicros
	pingTCPAck
	pingMoreFlags
	pingTCPSeq
	pingRouter
)

var pingSizes = [...]int{
	pingStopData: 1, pingProbes: 2, pingProbeSize: 2, pingWait: 1, pingTTL: 1, pingReplies: 2,
	pingSrcPort: 2, pingDstPort: 2, pingFlags: 1, pingTOS: 1, pingChecksum: 2, pingMTU: 2, pingTimeout: 1, pingWaitMicros: 4,
	pingTCPAck: 4, pingMoreFlags: 4, pingTCPSeq: 4,
}

// pings decodes a ping: what its replies say in sum.
func (w *warts) pings(c *cursor, t *flow.Trace) {
	t.Kind = pb.Trace_PING
	w.pingParams(c, t)
	w.ping.begin(t)
	for range c.uint16() {
		if w.reply(c); c.bad {
			return
		}
	}
	w.ping.store(t)
}

func (w *warts) pingParams(c *cursor, t *flow.Trace) {
	p := c.params()
	t.StopReason = pingStops[0]
	pattern, method := 0, uint32(0) // method 0 is left out
	for flag := p.next(); flag != 0 && flag <= pingRouter; flag = p.next() {
		switch flag {
		case pingList:
			w.listed(p.uint32(), t)
		case pingCycle:
			w.cycled(p.uint32(), t)
		case pingSrcNumber:
			t.SrcAddr = w.global.find(&p.cursor)
		case pingDstNumber:
			t.DstAddr = w.global.find(&p.cursor)
		case pingStart:
			t.Time = uint64(p.uint32())
			p.uint32() // microseconds
		case pingStopReason:
			t.StopReason = word(pingStops[:], p.uint8())
		case pingPatternSize:
			pattern = int(p.uint16())
		case pingPattern:
			p.take(pattern)
		case pingSent:
			t.Sent = p.uint16()
		case pingMethod:
			method = p.uint8()
		case pingUserID:
			t.UserID = p.uint32()
		case pingSrc:
			t.SrcAddr = w.local.read(&p.cursor)
		case pingDst:
			t.DstAddr = w.local.read(&p.cursor)
		case pingTimestamps:
			for range p.uint8() {
				w.local.read(&p.cursor)
			}
		case pingRouter:
			w.local.read(&p.cursor)
		default:
			p.take(pingSizes[flag])
		}
	}
	t.Method = word(pingMethods[:], method)
	c.bad = c.bad || p.bad
}

// Flags of a reply, in their order.
const (
	replyNumber = iota + 1 // deprecated
	replyFlags
	replyTTL
	replySize
	replyICMP
	replyRTT
	replyProbe
	replyID
	replyProbeID
	replyProtocol
	replyTCPFlags
	replyAddress
	replyRoute
	replyTimestamps
)

var replySizes = [...]int{replyFlags: 1, replyTTL: 1, replySize: 2, replyID: 2, replyProbeID: 2, replyTCPFlags: 1}

func (w *warts) reply(c *cursor) {
	var icmp, rtt, probe, protocol uint32
	p := c.params()
	for flag := p.next(); flag != 0 && flag <= replyTimestamps; flag = p.next() {
		switch flag {
		case replyNumber:
			w.global.find(&p.cursor)
		case replyICMP:
			icmp = p.uint16()
		case replyRTT:
			rtt = p.uint32()
		case replyProbe:
			probe = p.uint16()
		case replyProtocol:
			protocol = p.uint8()
		case replyAddress:
			w.local.read(&p.cursor)
		case replyRoute: // whose addresses later ones refer to
			for range p.uint8() {
				w.local.read(&p.cursor)
			}
		case replyTimestamps:
			times, n := p.uint8(), p.uint8()
			p.take(4 * int(times))
			for range n {
				w.local.read(&p.cursor)
			}
		default:
			p.take(replySizes[flag])
		}
	}
	if c.bad = c.bad || p.bad; !c.bad {
		w.ping.add(probe, protocol, icmp, rtt)
	}
}

// pingStatistics sum up the replies to a ping: of those from the target, the first to each
// probe.
type pingStatistics struct {
	method   string
	v6       bool
	answered [1 << 16 / 64]uint64 // bits of probes
	highest  uint32               // probe of them
	replies  uint32
	least    uint32
	most     uint32
	sum      uint64
}

// begin begins with a ping, of which method and destination are known.
func (s *pingStatistics) begin(t *flow.Trace) {
	clear(s.answered[:s.highest/64+1])
	s.method, s.v6, s.highest, s.replies, s.least, s.most, s.sum = t.Method, t.DstAddr.Is6(), 0, 0, 1<<32-1, 0, 0
}

// add adds a reply: to which probe, in which protocol (IP's number; ICMP where it is none of
// TCP and UDP), with which type and code of ICMP, after how many microseconds.
func (s *pingStatistics) add(probe, protocol, icmp, rtt uint32) {
	word, bit := &s.answered[probe/64], uint64(1)<<(probe%64)
	if *word&bit != 0 || !s.fromTarget(protocol, icmp) {
		return
	}
	*word |= bit
	s.highest = max(s.highest, probe)
	s.replies++
	s.least, s.most, s.sum = min(s.least, rtt), max(s.most, rtt), s.sum+uint64(rtt)
}

// Numbers of protocols that replies may have beside ICMP.
const (
	tcp = 6
	udp = 17
)

// fromTarget tells whether a reply is the one that the method asks for.
func (s *pingStatistics) fromTarget(protocol, icmp uint32) bool {
	echo, unreachable := uint32(0), uint32(3<<8|3)
	if s.v6 {
		echo, unreachable = 129<<8, 1<<8|4
	}
	isICMP := protocol != tcp && protocol != udp
	switch s.method {
	case "icmp-echo":
		return isICMP && icmp&0xff00 == echo
	case "icmp-time":
		return isICMP && icmp>>8 == 14
	case "udp", "udp-dport":
		return isICMP && icmp == unreachable
	}
	return protocol == tcp
}

func (s *pingStatistics) store(t *flow.Trace) {
	if t.Replies = s.replies; s.replies == 0 {
		return
	}
	t.RTTMin, t.RTTMax, t.RTTAvg = s.least, s.most, uint32(s.sum/uint64(s.replies))
}
