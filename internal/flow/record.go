// Package flow holds one flow record, as every decoder fills it and every later
// stage reads it, and its encoding as a protobuf FlowMessage.
//
// Decoders reuse one Record for record after record, so that nothing is allocated on
// the way to the queue.
package flow

import (
	"net/netip"

	"github.com/leoluk/NetMeta/pb"
)

// Record is one observed packet or one flow record, as the exporter reported it.
// Field for field it is pb.FlowMessage, whose comments give units and sources;
// only the types are those that code likes to work with. The zero Record is an
// empty message.
type Record struct {
	Type         pb.FlowMessage_FlowType
	TimeReceived uint64 // seconds since 1970-01-01 UTC
	SequenceNum  uint32

	SamplingRate       uint64 // packets per sample; see exporter.State.Rate
	SamplingRateSource pb.FlowMessage_RateSource
	SamplerAddress     netip.Addr // an IPv4 address is a 4 byte one, never mapped into IPv6

	TimeFlowStart, TimeFlowEnd uint64 // seconds since 1970-01-01 UTC

	Bytes, Packets uint64 // as sampled: not multiplied by SamplingRate

	SrcAddr, DstAddr, NextHop netip.Addr // the zero Addr where the exporter said nothing

	Etype            uint32
	Proto            uint32
	SrcPort, DstPort uint32

	InIf, OutIf     uint32 // ifIndex
	SrcMac, DstMac  uint64
	SrcVlan         uint32
	DstVlan         uint32
	VlanID          uint32
	IngressVrfID    uint32
	EgressVrfID     uint32
	FlowDirection   uint32 // 0 ingress, 1 egress
	BiFlowDirection uint32

	HasFlowDirection  bool // the exporter said FlowDirection
	ObservationDomain uint32

	IPTos            uint32
	ForwardingStatus uint32
	IPTTL            uint32
	TCPFlags         uint32
	IcmpType         uint32
	IcmpCode         uint32
	IPv6FlowLabel    uint32
	FragmentID       uint32
	FragmentOffset   uint32 // in units of 8 bytes

	SrcAS, DstAS, NextHopAS uint32
	SrcNet, DstNet          uint32 // prefix lengths

	// The BGP route. The slices are the decoder's and valid until the Record is reused;
	// what exceeds MaxASPath and MaxCommunities is not encoded.
	BGPNextHop          netip.Addr
	ASPath, Communities []uint32

	TunnelType pb.FlowMessage_Tunnel
	VNI        uint32
	HasEncap   bool
	Inner      // counts only if HasEncap

	HasMPLS bool
	Labels  // count only if HasMPLS

	HasPPP            bool
	PPPAddressControl uint32

	PostNATSrcAddr, PostNATDstAddr           netip.Addr
	PostNATSrcPort, PostNATDstPort, NATEvent uint32

	FirewallEvent   uint32
	FlowEndReason   uint32
	ApplicationID   uint64
	ApplicationName string // at most MaxName bytes are encoded
}

// Inner is the packet inside of a tunnel.
type Inner struct {
	SrcAddrEncap, DstAddrEncap netip.Addr
	EtypeEncap                 uint32
	ProtoEncap                 uint32
	SrcPortEncap, DstPortEncap uint32
	TCPFlagsEncap              uint32
	IPTosEncap                 uint32
	IPTTLEncap                 uint32
	IPv6FlowLabelEncap         uint32
	FragmentIDEncap            uint32
	FragmentOffsetEncap        uint32 // in units of 8 bytes
}

// Labels are the labels of an MPLS stack: the first three from the top, and the last.
type Labels struct {
	MPLSCount                  uint32 // of the whole stack
	MPLS1TTL, MPLS1Label       uint32
	MPLS2TTL, MPLS2Label       uint32
	MPLS3TTL, MPLS3Label       uint32
	MPLSLastTTL, MPLSLastLabel uint32 // may be one of the first three
}
