package conntrack

import (
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Values of FirewallEvent (IANA IPFIX firewallEvent): what a record reports.
const (
	eventCreated = 1
	eventDeleted = 2
	eventUpdate  = 5
)

// Values of NATEvent (IANA IPFIX natEvent) and FlowEndReason (flowEndReason).
const (
	natCreated, natDeleted     = 1, 2 // of IPv6
	nat44Created, nat44Deleted = 4, 5

	reasonIdle   = 1
	reasonActive = 2
	reasonEnd    = 3
)

// States of TCP in which a connection has come to its own end: enum tcp_conntrack.
const (
	tcpTimeWait = 7
	tcpClose    = 8
)

const protocolTCP = 6

// maxTracked bounds what is remembered of connections: about 100 bytes each. Of one that
// finds no room, all is reported at its end, without its start.
const maxTracked = 1 << 20

// key identifies a connection as long as it lasts: the kernel's id is a hash.
type key struct {
	ID      uint32
	Source  uint16
	Dest    uint16
	IsReply uint32 // ports of the reply, which NAT may have chosen
}

func keyOf(c *Connection) key {
	o, r := &c.Tuple[original], &c.Tuple[reply]
	return key{c.ID, o.SourcePort, o.DestinationPort, uint32(r.SourcePort)<<16 | uint32(r.DestinationPort)}
}

// tracked is what is known of a connection that has not ended.
type tracked struct {
	Start    uint32      // seconds since 1970, 0 if unknown
	Last     uint32      // when it was last reported
	Round    uint32      // of the last dump that had it
	Reported [2]Counters // what records say already
	Old      bool        // was there before the agent was, as far as it knows
}

// Tracker knows what has been reported of each connection, so that nothing is reported
// twice. It does no I/O and has no clock. It belongs to one goroutine.
type Tracker struct {
	base   flow.Record
	record flow.Record
	emit   func(*flow.Record)

	Starts bool                  // report starts
	Active time.Duration         // report what lasts longer after each such time; 0: only at the end
	Local  func(netip.Addr) bool // tells this host's own addresses; nil: none is known

	table map[key]tracked
	round uint32
	full  func() // is called for each connection that finds no room
}

// NewTracker returns a tracker whose records begin as base, which names the exporter.
func NewTracker(base flow.Record, emit func(*flow.Record)) *Tracker {
	base.Type = pb.FlowMessage_CONNTRACK
	base.SamplingRate, base.SamplingRateSource = 1, pb.FlowMessage_RATE_PACKET
	return &Tracker{base: base, emit: emit, table: map[key]tracked{}, full: func() {}}
}

// Begin reports that a connection has begun.
func (t *Tracker) Begin(c *Connection, now time.Time) {
	k := keyOf(c)
	if known, exists := t.table[k]; !exists || known.Old {
		t.put(k, tracked{Start: seconds(c.Start, now), Last: uint32(now.Unix()), Round: t.round})
	}
	if !t.Starts {
		return
	}
	r := t.fill(c, original, now)
	r.FirewallEvent, r.NATEvent = eventCreated, nat(r, nat44Created, natCreated)
	r.TimeFlowStart = uint64(seconds(c.Start, now))
	r.TimeFlowEnd = r.TimeFlowStart
	t.emit(r)
}

// End reports what a connection that has ended has carried since it was last reported,
// each direction in a record of its own. That of the reply is left out where it is empty.
func (t *Tracker) End(c *Connection, now time.Time) {
	k := keyOf(c)
	known := t.table[k]
	delete(t.table, k)
	if c.Start != 0 {
		known.Start = uint32(c.Start / uint64(time.Second))
	}
	for d := range c.Tuple {
		carried := c.Counters[d].since(known.Reported[d])
		if carried.Packets == 0 && d == reply {
			continue // the end is in the other record, which is there also where nothing is new
		}
		r := t.fill(c, d, now)
		r.FirewallEvent, r.FlowEndReason = eventDeleted, endReason(c)
		r.NATEvent = nat(r, nat44Deleted, natDeleted)
		r.Bytes, r.Packets = carried.Bytes, carried.Packets
		r.TimeFlowEnd = uint64(seconds(c.Stop, now))
		if r.TimeFlowStart = uint64(known.Start); known.Start == 0 {
			r.TimeFlowStart = r.TimeFlowEnd
		}
		t.emit(r)
	}
}

// NextRound begins to go over all connections that there are: Update is called for each.
func (t *Tracker) NextRound() { t.round++ }

// Update reports what a connection has carried since it was last reported, if that is
// long enough ago. Of one that was not known before, nothing has been: its beginning was
// missed.
func (t *Tracker) Update(c *Connection, now time.Time) {
	k := keyOf(c)
	known, ok := t.table[k]
	if !ok {
		known = tracked{Start: uint32(c.Start / uint64(time.Second)), Last: uint32(now.Unix())}
	}
	known.Round = t.round
	if t.Active > 0 && uint32(now.Unix())-known.Last >= uint32(t.Active/time.Second) {
		t.update(c, &known, now)
	}
	t.put(k, known)
}

func (t *Tracker) update(c *Connection, known *tracked, now time.Time) {
	for d := range c.Tuple {
		carried := c.Counters[d].since(known.Reported[d])
		if carried.Packets == 0 {
			continue
		}
		r := t.fill(c, d, now)
		r.FirewallEvent, r.FlowEndReason = eventUpdate, reasonActive
		r.Bytes, r.Packets = carried.Bytes, carried.Packets
		r.TimeFlowStart, r.TimeFlowEnd = uint64(known.Last), r.TimeReceived
		t.emit(r)
	}
	known.Reported, known.Last = c.Counters, uint32(now.Unix())
}

// Baseline notes what a connection had carried before the agent was first started, which
// is not reported. If it turns out to have begun after that, since Begin is still to come
// for it, all of it is.
func (t *Tracker) Baseline(c *Connection, now time.Time) {
	t.put(keyOf(c), tracked{
		Start: uint32(c.Start / uint64(time.Second)), Last: uint32(now.Unix()), Round: t.round, Reported: c.Counters, Old: true,
	})
}

// Sweep forgets connections whose end was missed: those that two rounds in a row have not
// had. A single one may come before the message that ends a connection. It returns how
// many those were.
func (t *Tracker) Sweep() (missed int) {
	for k, known := range t.table {
		if t.round-known.Round >= 2 {
			delete(t.table, k)
			missed++
		}
	}
	return missed
}

// Tracked returns how many connections are remembered.
func (t *Tracker) Tracked() int { return len(t.table) }

func (t *Tracker) put(k key, known tracked) {
	if _, exists := t.table[k]; !exists && len(t.table) >= maxTracked {
		t.full()
		return
	}
	t.table[k] = known
}

// fill begins a record of one direction.
func (t *Tracker) fill(c *Connection, d int, now time.Time) *flow.Record {
	t.record = t.base
	r, in := &t.record, &c.Tuple[d]
	// The other direction's packets arrive from where this one's are sent to.
	after := Tuple{
		Source: c.Tuple[1-d].Destination, SourcePort: c.Tuple[1-d].DestinationPort,
		Destination: c.Tuple[1-d].Source, DestinationPort: c.Tuple[1-d].SourcePort,
	}
	r.TimeReceived = uint64(now.Unix())
	r.SrcAddr, r.DstAddr = in.Source, in.Destination
	r.SrcPort, r.DstPort = uint32(in.SourcePort), uint32(in.DestinationPort)
	r.Proto, r.Etype = uint32(in.Protocol), etype(in.Source)
	r.IcmpType, r.IcmpCode = uint32(in.ICMPType), uint32(in.ICMPCode)
	r.BiFlowDirection = uint32(1 + d)
	r.FlowDirection, r.HasFlowDirection = t.direction(in)
	if after.Source != in.Source || after.SourcePort != in.SourcePort && in.portful() {
		r.PostNATSrcAddr, r.PostNATSrcPort = after.Source, uint32(after.SourcePort)
	}
	if after.Destination != in.Destination || after.DestinationPort != in.DestinationPort && in.portful() {
		r.PostNATDstAddr, r.PostNATDstPort = after.Destination, uint32(after.DestinationPort)
	}
	return r
}

// nat returns one of two values of NATEvent for IPv4 and IPv6 if the connection is
// translated.
func nat(r *flow.Record, ipv4, ipv6 uint32) uint32 {
	switch {
	case !r.PostNATSrcAddr.IsValid() && !r.PostNATDstAddr.IsValid():
		return 0
	case r.SrcAddr.Is4():
		return ipv4
	}
	return ipv6
}

// portful tells whether the protocol has ports: those of ICMP are identifiers.
func (t *Tuple) portful() bool { return t.SourcePort|t.DestinationPort != 0 }

// direction is told by which end of the connection this host is. It forwards others.
func (t *Tracker) direction(in *Tuple) (egress uint32, known bool) {
	if t.Local == nil {
		return 0, false
	}
	from, to := t.Local(in.Source), t.Local(in.Destination)
	if from {
		egress = 1
	}
	return egress, from != to
}

func endReason(c *Connection) uint32 {
	if c.Tuple[original].Protocol == protocolTCP && (c.TCPState == tcpTimeWait || c.TCPState == tcpClose) {
		return reasonEnd
	}
	if c.Tuple[original].Protocol == protocolTCP && c.TCPState == 0 {
		return 0 // kernels before 5.12 do not say
	}
	return reasonIdle
}

// since returns what has been counted since before. Counters that somebody has set back
// (conntrack -Z) are taken as they are.
func (n Counters) since(before Counters) Counters {
	if n.Packets < before.Packets || n.Bytes < before.Bytes {
		return n
	}
	return Counters{n.Packets - before.Packets, n.Bytes - before.Bytes}
}

func etype(a netip.Addr) uint32 {
	if a.Is4() {
		return 0x0800
	}
	return 0x86dd
}

// seconds returns the kernel's time, or now where it has none.
func seconds(nanoseconds uint64, now time.Time) uint32 {
	if nanoseconds == 0 {
		return uint32(now.Unix())
	}
	return uint32(nanoseconds / uint64(time.Second))
}
