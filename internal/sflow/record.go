package sflow

import (
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// Record formats of enterprise 0 in flow samples (sFlow version 5 section 5.3,
// sflow_pnat.txt, sflow_tunnels.txt).
const (
	formatRawHeader = 1
	formatEthernet  = 2
	formatIPv4      = 3
	formatIPv6      = 4
	formatSwitch    = 1001
	formatRouter    = 1002
	formatGateway   = 1003
	formatMPLS      = 1006
	formatNAT       = 1007
	formatNATPort   = 1020

	formatL2TunnelEgress     = 1021
	formatL2TunnelIngress    = 1022
	formatIPv4TunnelEgress   = 1023
	formatIPv4TunnelIngress  = 1024
	formatIPv6TunnelEgress   = 1025
	formatIPv6TunnelIngress  = 1026
	formatDecapsulateEgress  = 1027
	formatDecapsulateIngress = 1028
	formatVNIEgress          = 1029
	formatVNIIngress         = 1030
)

// flowRecord reads one record of a flow sample into d.record, d.packet or d.route, or
// sets x.bad and leaves them as they are, but for an AS path. Formats that tell nothing
// that FlowMessage has a field for are skipped.
func (d *Decoder) flowRecord(format uint32, x *xdr) {
	switch format {
	case formatRawHeader:
		d.packet.readHeader(x)
	case formatEthernet:
		d.packet.readEthernet(x)
	case formatIPv4, formatIPv6:
		d.packet.readIP(format == formatIPv6, x)
	case formatSwitch:
		readSwitch(x, &d.record)
	case formatRouter:
		readRouter(x, &d.record)
	case formatGateway:
		d.route.read(x, &d.record)
	case formatMPLS:
		d.packet.readMPLS(x)
	case formatNAT:
		readNAT(x, &d.record)
	case formatNATPort:
		readNATPort(x, &d.record)
	default:
		d.packet.readTunnel(format, x)
	}
}

// sampledPacket holds what a sample says about the packet itself, which can be said
// up to three times: by the packet's own header, by an IPv4 or IPv6 record and by
// an Ethernet record. They are kept apart until all records are read, because their
// order must not decide which of them is believed. The slices are the datagram's.
type sampledPacket struct {
	protocol, length uint32 // of header and its frame
	header           []byte // nil if there is no raw packet header
	ip               summary
	ethernet         []byte // an Ethernet record with its addresses at ethernetMAC
	ethernetMAC      int    // bytes from one address to the next

	mplsNextHop netip.Addr
	mplsIn      []byte // label stack entries
	mplsOut     []byte

	ingress, egress tunnel
	innerOffset     uint32 // of the inner packet in header, 0 if not said
}

// summary is an IPv4 or IPv6 record, which have the same words behind their addresses.
type summary struct {
	b           []byte // nil if there is none
	addressSize int
}

// readHeader reads struct sampled_header. What follows the header is padding.
func (p *sampledPacket) readHeader(x *xdr) {
	b := x.next(12) // protocol, frame length, bytes that were stripped
	header := x.opaque()
	if x.bad {
		return
	}
	p.protocol, p.length, p.header = word(b, 0), word(b, 1), header
}

// readEthernet reads struct sampled_ethernet: the length of the frame, the addresses,
// the Ethertype. A MAC address is six bytes padded to eight (RFC 4506 section 4.9);
// some agents do not pad, so a record that is too short for it is read that way.
func (p *sampledPacket) readEthernet(x *xdr) {
	const padded, bare = 24, 20
	size, mac := padded, 8
	if len(x.b) >= bare && len(x.b) < padded {
		size, mac = bare, 6
	}
	if b := x.next(uint64(size)); b != nil {
		p.ethernet, p.ethernetMAC = b, mac
	}
}

// readIP reads an IPv4 or IPv6 record.
func (p *sampledPacket) readIP(v6 bool, x *xdr) {
	if s := readSummary(v6, x); !x.bad {
		p.ip = s
	}
}

// readSummary reads struct sampled_ipv4 or sampled_ipv6: the length of the packet, its
// protocol, its addresses, its ports, its TCP flags and its type of service.
func readSummary(v6 bool, x *xdr) summary {
	size := 4
	if v6 {
		size = 16
	}
	return summary{x.next(uint64(24 + 2*size)), size}
}

func (s *summary) length() uint32   { return word(s.b, 0) }
func (s *summary) protocol() uint32 { return word(s.b, 1) }

// behind returns the word at index i behind the addresses.
func (s *summary) behind(i int) uint32 { return word(s.b[8+2*s.addressSize:], i) }

// fill writes the packet into r: its header as far as it can be read, and from the
// agent's summaries only what the header does not tell.
func (p *sampledPacket) fill(r *flow.Record) {
	switch {
	case p.header != nil:
		r.Bytes = uint64(p.length)
		walk(p.protocol, p.header, r)
	case p.ip.b != nil:
		r.Bytes = uint64(p.ip.length())
	case p.ethernet != nil:
		r.Bytes = uint64(word(p.ethernet, 0))
	}
	if p.ip.b != nil && !r.SrcAddr.IsValid() {
		p.ip.fill(r)
	}
	if p.ethernet != nil {
		p.fillEthernet(r)
	}
	p.fillMPLS(r)
	p.fillTunnel(r)
}

// fillEthernet writes what an Ethernet record tells and the header does not.
func (p *sampledPacket) fillEthernet(r *flow.Record) {
	src, dst := p.ethernet[4:], p.ethernet[4+p.ethernetMAC:]
	if r.SrcMac == 0 && r.DstMac == 0 {
		r.SrcMac, r.DstMac = packet.MAC([6]byte(src)), packet.MAC([6]byte(dst))
	}
	etype := word(p.ethernet[4+2*p.ethernetMAC:], 0)
	if r.Etype == 0 && packet.IsEtype(etype) {
		r.Etype = etype
	}
}

// fill writes an IPv4 or IPv6 record. Agents have been seen to put anything into
// the ports of protocols that have none.
func (s *summary) fill(r *flow.Record) {
	if s.addressSize == 4 {
		r.Etype = packet.EtypeIPv4
		r.SrcAddr, r.DstAddr = netip.AddrFrom4([4]byte(s.b[8:])), netip.AddrFrom4([4]byte(s.b[12:]))
	} else {
		r.Etype = packet.EtypeIPv6
		r.SrcAddr, r.DstAddr = netip.AddrFrom16([16]byte(s.b[8:])), netip.AddrFrom16([16]byte(s.b[24:]))
	}
	r.Proto = atMost(s.protocol(), 255)
	r.IPTos = atMost(s.behind(3), 255)
	if !packet.HasPorts(r.Proto) {
		return
	}
	r.SrcPort = atMost(s.behind(0), 65535)
	r.DstPort = atMost(s.behind(1), 65535)
	r.TCPFlags = atMost(s.behind(2), 255)
}

// walk reads a sampled header (enum header_protocol). Of a link layer that is not
// known, the flow has its length and its interfaces.
func walk(protocol uint32, b []byte, r *flow.Record) {
	const (
		ethernetISO8023 = 1
		ppp             = 7
		ipv4            = 11
		ipv6            = 12
		mpls            = 13
		pos             = 14 // PPP over SONET/SDH
	)
	switch protocol {
	case ethernetISO8023:
		packet.Ethernet(b, r)
	case ppp, pos:
		packet.PPP(b, r)
	case ipv4, ipv6:
		packet.IP(b, r)
	case mpls:
		packet.MPLS(b, r)
	}
}

// atMost returns v, or 0 for a number that cannot be: all ones is a usual way to
// say unknown, and a column that is narrower would keep some of its bits.
func atMost(v, most uint32) uint32 {
	if v > most {
		return 0
	}
	return v
}
