package generate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/leoluk/NetMeta/pb"
)

// Protocol is a flow export protocol, by the name that the command line has for it.
type Protocol string

// The protocols that synthetic exporters speak.
const (
	SFlow    Protocol = "sflow"
	NetFlow5 Protocol = "netflow5"
	NetFlow9 Protocol = "netflow9"
	IPFIX    Protocol = "ipfix"
)

// Protocols returns all protocols.
func Protocols() []Protocol { return []Protocol{SFlow, NetFlow5, NetFlow9, IPFIX} }

// ParseProtocol returns the protocol of that name. The error lists the known ones.
func ParseProtocol(name string) (Protocol, error) {
	if slices.Contains(Protocols(), Protocol(name)) {
		return Protocol(name), nil
	}
	var known []string
	for _, p := range Protocols() {
		known = append(known, string(p))
	}
	return "", fmt.Errorf("unknown protocol %q: one of %s", name, strings.Join(known, ", "))
}

// DefaultPort is the UDP port on which NetMeta's collector expects p.
func (p Protocol) DefaultPort() uint16 {
	switch p {
	case SFlow:
		return 6343
	case NetFlow5:
		return 2056
	default:
		return 2055
	}
}

// maxDatagram is the longest datagram in bytes: one Ethernet frame with room for tunnels.
const maxDatagram = 1400

// encoder packs observations into the datagrams of one exporter. Times are Unix
// milliseconds.
type encoder interface {
	// room says whether one more record of any kind fits into the datagram.
	room() bool
	// add appends a record that ended at now. The caller has asked for room.
	add(o *observation, now int64)
	// datagram completes the datagram and begins the next. The bytes are valid until
	// the next call of add.
	datagram(now int64) []byte
	// announcement returns a datagram that says how to read the others, or nil.
	announcement(now int64) []byte
}

// profile is what distinguishes one exporter from the next.
type profile struct {
	protocol Protocol
	address  netip.Addr // sFlow: the agent's; NetFlow: the source of the datagrams
	number   uint32     // observation domain, source id, engine id or sub-agent id
	rates    []uint32

	expanded    bool // sFlow: expanded samples
	twoSamplers bool // v9, IPFIX: one sampler for transit, another for peering interfaces
}

// newProfile returns the index-th exporter of a protocol. Neighbours differ in how they
// report, so that a few exporters show a collector every variant.
func newProfile(protocol Protocol, index int, rates []uint32) profile {
	p := profile{protocol: protocol, number: uint32(index + 1), rates: rates}
	switch protocol {
	case SFlow:
		p.address = agentAddress(index)
		p.expanded = index%2 == 1
	case NetFlow9, IPFIX:
		p.twoSamplers = index%2 == 1
	}
	return p
}

// agentAddress returns the address of the index-th sFlow agent: every fourth, and those
// for which 192.0.2.0/24 has no room, has an IPv6 address.
func agentAddress(index int) netip.Addr {
	v4 := index - index/4
	if index%4 == 3 || v4 >= 200 {
		a := [16]byte{0x20, 0x01, 0x0d, 0xb8, 14: byte((index + 1) >> 8), 15: byte(index + 1)}
		return netip.AddrFrom16(a)
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(v4 + 1)})
}

// encoder returns a new encoder for p whose exporter booted at boot.
func (p *profile) encoder(boot int64) encoder {
	switch p.protocol {
	case SFlow:
		return newSFlowEncoder(p, boot)
	case NetFlow5:
		return newNetFlow5Encoder(p, boot)
	default:
		return newTemplateEncoder(p, boot)
	}
}

// samplers returns the sampling rates of the exporter's samplers 1 and up.
func (p *profile) samplers() []uint32 {
	first := p.rates[(p.number-1)%uint32(len(p.rates))]
	if !p.twoSamplers {
		return []uint32{first}
	}
	return []uint32{first, p.rates[p.number%uint32(len(p.rates))]}
}

// sampler returns which sampler, from 1, selected the packets of o.
func (p *profile) sampler(o *observation) uint32 {
	if p.twoSamplers && o.edge() >= peeringPorts[0] {
		return 2
	}
	return 1
}

func (p *profile) samplingRate(o *observation) uint32 {
	n := uint32(len(p.rates))
	if p.protocol == SFlow { // each interface has its own
		return p.rates[(p.number-1+o.edge()-1)%n]
	}
	return p.rates[(p.number-1+p.sampler(o)-1)%n]
}

// asTrans stands for an AS number that does not fit into two bytes (RFC 6793).
const asTrans = 23456

// conform makes o the record that a collector reads from p's datagrams: it takes away
// what the protocol does not carry and adds how p samples.
func (p *profile) conform(o *observation) {
	o.SamplerAddress = p.address
	o.SamplingRate = uint64(p.samplingRate(o))
	o.ObservationDomain = p.number
	o.HasFlowDirection = p.protocol != NetFlow5
	if p.protocol == SFlow {
		o.BGPNextHop, o.ASPath = o.NextHop, o.path[:o.hops]
		o.community[0] = ownAS<<16 | o.OutIf
		o.Communities = o.community[:]
		o.Type = pb.FlowMessage_SFLOW_5
		o.SamplingRateSource = pb.FlowMessage_RATE_PACKET
		o.Bytes, o.Packets = uint64(o.frameLength()), 1
		o.TCPFlags = uint32(o.packetFlags)
		o.lasted = 0
		if o.Etype == 0x0800 {
			o.FragmentID = uint32(o.noise & 0xffff)
		}
		return
	}
	o.Bytes, o.Packets = uint64(o.flowBytes), uint64(o.flowPackets)
	o.TCPFlags = uint32(o.flowFlags)
	o.VlanID, o.SrcVlan, o.DstVlan, o.SrcMac, o.DstMac = 0, 0, 0, 0, 0
	switch p.protocol {
	case NetFlow5:
		o.Type = pb.FlowMessage_NETFLOW_V5
		o.SamplingRateSource = pb.FlowMessage_RATE_PACKET
		o.SrcAS, o.DstAS = twoByteAS(o.SrcAS), twoByteAS(o.DstAS)
		o.NextHopAS, o.IPTTL, o.FlowDirection = 0, 0, 0
	case NetFlow9:
		o.Type = pb.FlowMessage_NETFLOW_V9
		o.SamplingRateSource = pb.FlowMessage_RATE_OPTIONS
		o.ForwardingStatus = forwarded
	case IPFIX:
		o.Type = pb.FlowMessage_IPFIX
		o.SamplingRateSource = pb.FlowMessage_RATE_OPTIONS
		o.ForwardingStatus = forwarded
	}
}

// forwarded is the forwardingStatus "forwarded, unknown reason" (RFC 7270 section 4.12).
const forwarded = 64

func twoByteAS(asn uint32) uint32 {
	if asn > 0xffff {
		return asTrans
	}
	return asn
}
