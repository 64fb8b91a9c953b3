// Package flow holds one flow record, as every decoder fills it and every later
// stage reads it, and its encoding as a protobuf FlowMessage.
//
// A Record is plain data without pointers of its own: decoders reuse one for
// record after record, so that nothing is allocated on the way to the queue.
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
}
