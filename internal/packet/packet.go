// Package packet reads the headers of a sampled packet into a flow record.
//
// Exporters send the first 64 to 256 bytes of a packet, so a header that ends in
// the middle is normal and no error: each function fills the fields of the headers
// that are there as a whole and leaves the others as it found them. It expects a
// record whose packet fields are zero, and it allocates nothing.
//
// A packet is read from the outside in: what is in front of an IP header (link.go),
// the IP header with its options and extensions (ip.go) and the transport header
// (transport.go). If that says that it carries another packet (tunnel.go), the same
// functions read that one. Both are read into structs of their own and written to
// the record at the end, so that no field of one can be taken for one of the other.
// What the inner packet carries is not looked at: of tunnels in tunnels, the
// outermost counts.
package packet

import (
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Ethernet reads a frame from its destination address on, without preamble: MAC
// addresses, the outermost VLAN id, the Ethertype of the network layer and what IP
// reads. Tags, PPPoE and MPLS labels in between are walked through. Of an IEEE 802.3
// frame with LLC only the MAC addresses and the VLAN are read.
func Ethernet(b []byte, r *flow.Record) {
	var l link
	b = l.ethernet(b)
	l.write(r)
	IP(b, r)
}

// MPLS reads a packet from its first label on (RFC 3032 section 2.1): the labels and
// what IP reads.
func MPLS(b []byte, r *flow.Record) {
	var l link
	b = l.mpls(b)
	l.write(r)
	IP(b, r)
}

// PPP reads a packet from its protocol field on (RFC 1661 section 2), or from the
// address and control bytes of HDLC framing (RFC 1662 section 3.1).
func PPP(b []byte, r *flow.Record) {
	var l link
	b = l.pointToPoint(b)
	l.write(r)
	IP(b, r)
}

// IP reads an IPv4 or IPv6 packet, whichever its version says, the transport header
// behind it, and the packet that it carries in a tunnel. Anything else leaves r as
// it is.
func IP(b []byte, r *flow.Record) {
	var outer layer
	if !outer.read(b) {
		return
	}
	outer.writeOuter(r)
	kind := outer.tunnelKind()
	if kind == pb.FlowMessage_TUNNEL_NONE {
		return
	}
	if t, ok := outer.tunnel(kind); ok {
		r.TunnelType, r.VNI = t.kind, t.vni
		inner(t.etype, t.payload, r)
	}
}

// Inner reads what a tunnel of unknown kind carries into the fields for that: a frame
// if its Ethertype fits the version of the IP header behind it, otherwise an IP
// packet. Anything else leaves r as it is.
func Inner(b []byte, r *flow.Record) {
	if inner(etypeFrame, b, r) || inner(EtypeIPv4, b, r) {
		return
	}
	inner(EtypeIPv6, b, r)
}

// inner reads what a tunnel carries and says to be etype, and tells whether that is
// an IP packet.
func inner(etype uint32, b []byte, r *flow.Record) bool {
	var (
		below  link
		packet layer
	)
	if etype == etypeFrame {
		b = below.ethernet(b)
	} else {
		b = below.payload(etype, b)
	}
	if !packet.read(b) {
		return false
	}
	packet.writeInner(r)
	return true
}

// layer is one IP packet with its transport header: the outer one, or the one in its
// tunnel.
type layer struct {
	src, dst         netip.Addr
	etype            uint32
	proto            uint32
	srcPort, dstPort uint32
	tcpFlags         uint32
	icmpType         uint32
	icmpCode         uint32
	tos, ttl         uint32
	flowLabel        uint32
	fragmentID       uint32
	fragmentOffset   uint32

	// payload begins with the header of proto. It is nil where that is not in the
	// packet: in fragments but the first, and where the packet was cut off before.
	payload []byte
}

func (l *layer) writeOuter(r *flow.Record) {
	r.SrcAddr, r.DstAddr = l.src, l.dst
	r.Etype, r.Proto = l.etype, l.proto
	r.SrcPort, r.DstPort = l.srcPort, l.dstPort
	r.TCPFlags = l.tcpFlags
	r.IcmpType, r.IcmpCode = l.icmpType, l.icmpCode
	r.IPTos, r.IPTTL = l.tos, l.ttl
	r.IPv6FlowLabel = l.flowLabel
	r.FragmentID, r.FragmentOffset = l.fragmentID, l.fragmentOffset
}

func (l *layer) writeInner(r *flow.Record) {
	r.HasEncap = true
	r.SrcAddrEncap, r.DstAddrEncap = l.src, l.dst
	r.EtypeEncap, r.ProtoEncap = l.etype, l.proto
	r.SrcPortEncap, r.DstPortEncap = l.srcPort, l.dstPort
	r.TCPFlagsEncap = l.tcpFlags
	r.IPTosEncap, r.IPTTLEncap = l.tos, l.ttl
	r.IPv6FlowLabelEncap = l.flowLabel
	r.FragmentIDEncap, r.FragmentOffsetEncap = l.fragmentID, l.fragmentOffset
}
