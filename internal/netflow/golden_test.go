package netflow

import (
	"net/netip"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/pb"
)

// The files in testdata say what each byte means; this is what they mean together.
func TestGoldenDatagrams(t *testing.T) {
	exporterAddr := netip.MustParseAddr("192.0.2.1")
	at := uint64(received.Unix())
	for name, want := range map[string][]flow.Record{
		"v5": {
			{
				Type: pb.FlowMessage_NETFLOW_V5, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 0x0102, SamplerAddress: exporterAddr,
				SamplingRate: 100, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
				TimeFlowStart: at - 60, TimeFlowEnd: at - 1, Bytes: 15_000, Packets: 10,
				SrcAddr: netip.MustParseAddr("198.51.100.7"), DstAddr: netip.MustParseAddr("203.0.113.9"), NextHop: netip.MustParseAddr("192.0.2.254"),
				Etype: 0x0800, Proto: 6, SrcPort: 443, DstPort: 51_000, InIf: 3, OutIf: 4,
				IPTos: 0x28, TCPFlags: 0x1b, SrcAS: 64_500, DstAS: 64_501, SrcNet: 24, DstNet: 22,
			},
			{
				Type: pb.FlowMessage_NETFLOW_V5, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 0x0102, SamplerAddress: exporterAddr,
				SamplingRate: 100, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
				TimeFlowStart: at, TimeFlowEnd: at, Bytes: 84, Packets: 1,
				SrcAddr: netip.MustParseAddr("203.0.113.9"), DstAddr: netip.MustParseAddr("198.51.100.7"), NextHop: netip.MustParseAddr("0.0.0.0"),
				Etype: 0x0800, Proto: 1, IcmpType: 3, IcmpCode: 4, InIf: 4, OutIf: 3,
			},
		},
		"v9": {
			{
				Type: pb.FlowMessage_NETFLOW_V9, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 1, SamplerAddress: exporterAddr,
				SamplingRate: 512, SamplingRateSource: pb.FlowMessage_RATE_OPTIONS,
				TimeFlowStart: at - 60, TimeFlowEnd: at - 1, Bytes: 15_000, Packets: 10,
				SrcAddr: netip.MustParseAddr("198.51.100.7"), DstAddr: netip.MustParseAddr("203.0.113.9"), NextHop: netip.MustParseAddr("192.0.2.254"),
				Etype: 0x0800, Proto: 6, SrcPort: 443, DstPort: 51_000, InIf: 3, OutIf: 4,
				TCPFlags: 0x1b, SrcAS: 64_500, DstAS: 4_200_000_001, SrcNet: 24, DstNet: 22, VlanID: 100, SrcVlan: 100, FlowDirection: 1, HasFlowDirection: true,
			},
		},
		"ipfix": {
			{
				Type: pb.FlowMessage_IPFIX, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 1, SamplerAddress: exporterAddr,
				SamplingRate: 1000, SamplingRateSource: pb.FlowMessage_RATE_OPTIONS,
				TimeFlowStart: at - 60, TimeFlowEnd: at - 1, Bytes: 15_000, Packets: 10,
				SrcAddr: netip.MustParseAddr("2001:db8::7"), DstAddr: netip.MustParseAddr("2001:db8:1::9"),
				Etype: 0x86dd, Proto: 58, IcmpType: 2, InIf: 3, OutIf: 4, IPv6FlowLabel: 0xabcde, IPTTL: 63,
				SrcMac: 0x020000000001, DstMac: 0x020000000002, SrcNet: 32, DstNet: 48,
				IngressVrfID: 7, EgressVrfID: 8, ForwardingStatus: 64,
			},
		},
		"biflow": {
			{
				Type: pb.FlowMessage_IPFIX, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 1, SamplerAddress: exporterAddr,
				SamplingRate: 1, SamplingRateSource: pb.FlowMessage_RATE_UNKNOWN,
				TimeFlowStart: at - 60, TimeFlowEnd: at - 2, Bytes: 1000, Packets: 8,
				SrcAddr: netip.MustParseAddr("198.51.100.7"), DstAddr: netip.MustParseAddr("203.0.113.9"),
				Etype: 0x0800, Proto: 6, SrcPort: 51_000, DstPort: 443, InIf: 3, OutIf: 4,
				TCPFlags: 0x1a, SrcAS: 64_500, DstAS: 64_501, BiFlowDirection: biflowInitiator,
			},
			{
				Type: pb.FlowMessage_IPFIX, TimeReceived: at, SequenceNum: 4242, ObservationDomain: 1, SamplerAddress: exporterAddr,
				SamplingRate: 1, SamplingRateSource: pb.FlowMessage_RATE_UNKNOWN,
				TimeFlowStart: at - 59, TimeFlowEnd: at - 1, Bytes: 15_000, Packets: 10,
				SrcAddr: netip.MustParseAddr("203.0.113.9"), DstAddr: netip.MustParseAddr("198.51.100.7"),
				Etype: 0x0800, Proto: 6, SrcPort: 443, DstPort: 51_000, InIf: 4, OutIf: 3,
				TCPFlags: 0x1b, SrcAS: 64_501, DstAS: 64_500, BiFlowDirection: biflowReverseInitiator,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, want, decodeAll(t, golden.Bytes(t, name)))
		})
	}
}
