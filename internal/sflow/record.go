package sflow

import (
	"bytes"
	"net/netip"

	goflow "github.com/netsampler/goflow2/v2/decoders/sflow"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// Sizes of the records of fixed layout, of the raw packet header in front of its
// bytes.
const (
	rawHeaderSize = 16
	ipv4Size      = 32
	ipv6Size      = 56
	switchSize    = 16
)

// flowRecord reads one record of a flow sample into d.record or d.packet, or sets
// x.bad and leaves them as they are. Formats that tell nothing FlowMessage has a
// field for are skipped.
//
// goflow2 decodes the records of fixed layout. Its decoders of the others are not
// used: extended.go says what they misread.
func (d *Decoder) flowRecord(format uint32, x *xdr) {
	switch format {
	case goflow.FLOW_TYPE_RAW:
		d.fixedRecord(format, rawHeaderSize, x)
	case goflow.FLOW_TYPE_IPV4:
		d.fixedRecord(format, ipv4Size, x)
	case goflow.FLOW_TYPE_IPV6:
		d.fixedRecord(format, ipv6Size, x)
	case goflow.FLOW_TYPE_EXT_SWITCH:
		d.fixedRecord(format, switchSize, x)
	case goflow.FLOW_TYPE_ETH:
		d.packet.readEthernet(x)
	case goflow.FLOW_TYPE_EXT_ROUTER:
		readRouter(x, &d.record)
	case goflow.FLOW_TYPE_EXT_GATEWAY:
		readGateway(x, &d.record)
	}
}

// fixedRecord has goflow2 decode a record of at least size bytes. It is given the
// record's own bytes, so that it cannot read beyond them, and none of these formats
// has a count in it that goflow2 would allocate for.
func (d *Decoder) fixedRecord(format uint32, size uint64, x *xdr) {
	if !x.has(size) {
		return
	}
	header := goflow.RecordHeader{DataFormat: format, Length: uint32(len(x.b))}
	record, err := goflow.DecodeFlowRecord(&header, bytes.NewBuffer(x.b))
	if err != nil {
		x.bad, x.want = true, size
		return
	}
	switch data := record.Data.(type) {
	case goflow.SampledHeader:
		if !x.has(rawHeaderSize + uint64(data.OriginalLength)) {
			return
		}
		// What follows the header is padding.
		data.HeaderData = data.HeaderData[:data.OriginalLength]
		d.packet.header, d.packet.hasHeader = data, true
	case goflow.SampledIPv4:
		d.packet.setIP(packet.EtypeIPv4, data.SampledIPBase, data.Tos)
	case goflow.SampledIPv6:
		d.packet.setIP(packet.EtypeIPv6, data.SampledIPBase, data.Priority)
	case goflow.ExtendedSwitch:
		d.record.SrcVlan = atMost(data.SrcVlan, 4095)
		d.record.DstVlan = atMost(data.DstVlan, 4095)
	}
}

// sampledPacket holds what a sample says about the packet itself, which can be said
// up to three times: by the packet's own header, by an IPv4 or IPv6 record and by
// an Ethernet record. They are kept apart until all records are read, because their
// order must not decide which of them is believed.
type sampledPacket struct {
	header    goflow.SampledHeader
	hasHeader bool

	ip    goflow.SampledIPBase
	etype uint32 // of ip; 0 if there is none
	tos   uint32

	ethernet ethernet
}

func (p *sampledPacket) setIP(etype uint32, ip goflow.SampledIPBase, tos uint32) {
	p.ip, p.etype, p.tos = ip, etype, tos
}

// fill writes the packet into r: its header as far as it can be read, and from the
// agent's summaries only what the header does not tell.
func (p *sampledPacket) fill(r *flow.Record) {
	switch {
	case p.hasHeader:
		r.Bytes = uint64(p.header.FrameLength)
		walk(p.header.Protocol, p.header.HeaderData, r)
	case p.etype != 0:
		r.Bytes = uint64(p.ip.Length)
	default:
		r.Bytes = uint64(p.ethernet.length)
	}
	if p.etype != 0 && !r.SrcAddr.IsValid() {
		p.fillIP(r)
	}
	if r.SrcMac == 0 && r.DstMac == 0 {
		r.SrcMac, r.DstMac = p.ethernet.src, p.ethernet.dst
	}
	if r.Etype == 0 {
		r.Etype = p.ethernet.etype
	}
}

// fillIP writes an IPv4 or IPv6 record. Agents have been seen to put anything into
// the ports of protocols that have none.
func (p *sampledPacket) fillIP(r *flow.Record) {
	r.Etype = p.etype
	r.SrcAddr, _ = netip.AddrFromSlice(p.ip.SrcIP)
	r.DstAddr, _ = netip.AddrFromSlice(p.ip.DstIP)
	r.Proto = atMost(p.ip.Protocol, 255)
	r.IPTos = atMost(p.tos, 255)
	if !packet.HasPorts(r.Proto) {
		return
	}
	r.SrcPort = atMost(p.ip.SrcPort, 65535)
	r.DstPort = atMost(p.ip.DstPort, 65535)
	r.TCPFlags = atMost(p.ip.TcpFlags, 255)
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
