package sflow_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/pb"
)

func TestRouteTranslationLabelsAndTunnelAreRead(t *testing.T) {
	header := flow.Record{
		Type: pb.FlowMessage_SFLOW_5, SequenceNum: 42, SamplerAddress: netip.MustParseAddr("192.0.2.10"), ObservationDomain: 7,
		TimeReceived: 1_700_000_000, TimeFlowStart: 1_700_000_000, TimeFlowEnd: 1_700_000_000,
		SamplingRateSource: pb.FlowMessage_RATE_PACKET,
		Bytes:              1500, Packets: 1, HasFlowDirection: true,
		DstMac: 0x02000000000b, SrcMac: 0x02000000000a,
		Etype: 0x0800, IPTos: 0xb8, FragmentID: 0x1234, IPTTL: 64, Proto: 6, TCPFlags: 0x12,
		SrcAddr: netip.MustParseAddr("192.0.2.1"), DstAddr: netip.MustParseAddr("198.51.100.2"),
		SrcPort: 50000, DstPort: 443,
	}
	routed, tunnelled := header, header
	routed.SamplingRate, routed.InIf, routed.OutIf = 1000, 3, 5
	routed.BGPNextHop, routed.NextHop = netip.MustParseAddr("2001:db8::fe"), netip.MustParseAddr("198.51.100.9")
	routed.SrcAS, routed.NextHopAS, routed.DstAS = 64496, 64501, 4200000000
	routed.ASPath = []uint32{64501, 64502, 64503, 64504, 4200000000}
	routed.Communities = []uint32{64501<<16 | 100, 64501<<16 | 200}
	routed.PostNATSrcAddr, routed.PostNATDstAddr = netip.MustParseAddr("203.0.113.1"), header.DstAddr
	routed.PostNATSrcPort, routed.PostNATDstPort = 1024, 443
	routed.HasMPLS, routed.Labels = true, flow.Labels{MPLSCount: 2,
		MPLS1Label: 100, MPLS1TTL: 63, MPLS2Label: 200, MPLS2TTL: 63, MPLSLastLabel: 200, MPLSLastTTL: 63}
	tunnelled.SamplingRate, tunnelled.InIf, tunnelled.OutIf = 512, 7, 9
	tunnelled.TunnelType, tunnelled.VNI = pb.FlowMessage_TUNNEL_VXLAN, 5001

	got, err := decode(t, golden.Bytes(t, "extended-records"))
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]flow.Record{routed, tunnelled}, got, compareAddrs); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
}

var (
	mpls    = framed(1006, words(1, 0xc6336409, 1, 100<<12|1<<8|63, 1, 300<<12|1<<8|62))
	nat     = framed(1007, words(1, 0xcb007101, 1, 0xc6336402))
	natPort = framed(1020, words(1024, 443))
	vni     = framed(1030, words(77))
)

func TestLabelStacks(t *testing.T) {
	inHeader := rawHeader(1, 1000, unhex("02000000000b 02000000000a 8847 00064140"+ipv4Hex+tcpHex))
	for _, test := range []struct {
		promise string
		records [][]byte
		want    flow.Labels
	}{
		{"labels that came with the packet", [][]byte{mpls}, flow.Labels{MPLSCount: 1, MPLS1Label: 100, MPLS1TTL: 63, MPLSLastLabel: 100, MPLSLastTTL: 63}},
		{"labels that it leaves with, if it came without", [][]byte{framed(1006, words(0, 0, 1, 300<<12|1<<8|62))},
			flow.Labels{MPLSCount: 1, MPLS1Label: 300, MPLS1TTL: 62, MPLSLastLabel: 300, MPLSLastTTL: 62}},
		{"labels in the sampled header before those", [][]byte{mpls, inHeader},
			flow.Labels{MPLSCount: 1, MPLS1Label: 100, MPLS1TTL: 64, MPLSLastLabel: 100, MPLSLastTTL: 64}},
		{"a stack whose bottom is not marked ends with its last label", [][]byte{framed(1006, words(0, 2, 100<<12|63, 200<<12|64, 0))},
			flow.Labels{MPLSCount: 2, MPLS1Label: 100, MPLS1TTL: 63, MPLS2Label: 200, MPLS2TTL: 64, MPLSLastLabel: 200, MPLSLastTTL: 64}},
		{"no labels", [][]byte{framed(1006, words(0, 0, 0))}, flow.Labels{}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(test.records...)))
			if r.HasMPLS != (test.want != flow.Labels{}) || r.Labels != test.want {
				t.Errorf("HasMPLS %v with %+v, want %+v", r.HasMPLS, r.Labels, test.want)
			}
		})
	}
}

func TestNextHopOfTheRouterIsBeforeThatOfMPLS(t *testing.T) {
	router := framed(1002, words(1, 0xc63364fe, 24, 16))
	for _, records := range [][][]byte{{router, mpls}, {mpls, router}} {
		r := decodeOne(t, datagramOf(sampleOf(records...)))
		if r.NextHop != netip.MustParseAddr("198.51.100.254") {
			t.Errorf("next hop %v", r.NextHop)
		}
	}
}

// gateway is an extended gateway record with the source AS 64496 and a path.
func gateway(path ...uint32) []byte {
	return framed(1003, words(1, 0xc6336402, 64500, 64496, 64497), words(path...), words(0, 100))
}

func TestASPath(t *testing.T) {
	const set, sequence = 1, 2
	type numbers struct{ Src, NextHop, Dst uint32 }
	for _, test := range []struct {
		promise string
		record  []byte
		want    numbers
		path    []uint32
	}{
		{"a sequence", gateway(1, sequence, 3, 64501, 64502, 64503), numbers{64496, 64501, 64503}, []uint32{64501, 64502, 64503}},
		{"one AS", gateway(1, sequence, 1, 64501), numbers{64496, 64501, 64501}, []uint32{64501}},
		{"no segment", gateway(0), numbers{64496, 0, 0}, nil},
		{"an empty segment", gateway(1, sequence, 0), numbers{64496, 0, 0}, nil},
		{"an empty segment in front", gateway(2, sequence, 0, sequence, 1, 64501), numbers{64496, 64501, 64501}, []uint32{64501}},
		{"two sequences", gateway(2, sequence, 1, 64501, sequence, 2, 64502, 64503), numbers{64496, 64501, 64503}, []uint32{64501, 64502, 64503}},
		{"a set at the end", gateway(2, sequence, 2, 64501, 64502, set, 2, 1, 2), numbers{64496, 64501, 64502}, []uint32{64501, 64502, 1, 2}},
		{"a set in the middle", gateway(3, sequence, 1, 64501, set, 2, 1, 2, sequence, 1, 64503), numbers{64496, 64501, 64503}, []uint32{64501, 1, 2, 64503}},
		{"a set in front", gateway(2, set, 2, 1, 2, sequence, 1, 64503), numbers{64496, 0, 64503}, []uint32{1, 2, 64503}},
		{"only a set", gateway(1, set, 2, 1, 2), numbers{64496, 0, 0}, []uint32{1, 2}},
		{"next hop of unknown type", framed(1003, words(0, 64500, 64496, 64497, 1, sequence, 1, 64501)), numbers{64496, 64501, 64501}, []uint32{64501}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(test.record)))
			if got := (numbers{r.SrcAS, r.NextHopAS, r.DstAS}); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if r.NextHop.IsValid() {
				t.Errorf("next hop %v is that of BGP", r.NextHop)
			}
			if diff := cmp.Diff(test.path, r.ASPath, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("path differs (-want +got):\n%s", diff)
			}
		})
	}
}

// Both are read into the same memory.
func TestASPathOfARecordThatIsCutOffDoesNotShowInAnother(t *testing.T) {
	const sequence = 2
	cut := framed(1003, words(1, 0xc6336402, 64500, 64496, 64497, 2, sequence, 1, 7, sequence, 9))
	records, _ := decode(t, datagramOf(sampleOf(gateway(1, sequence, 1, 64501), cut)))
	if len(records) != 1 || len(records[0].ASPath) > 0 || records[0].DstAS != 64501 {
		t.Errorf("%+v, want one flow to 64501 without a path", records)
	}
}

func TestRouterAndSwitch(t *testing.T) {
	for _, test := range []struct {
		promise string
		record  []byte
		want    flow.Record
	}{
		{"IPv4 next hop", framed(1002, words(1, 0xc6336402, 24, 16)),
			flow.Record{NextHop: netip.MustParseAddr("198.51.100.2"), SrcNet: 24, DstNet: 16}},
		{"IPv6 next hop", framed(1002, words(2, 0x20010db8, 0, 0, 1, 48, 32)),
			flow.Record{NextHop: netip.MustParseAddr("2001:db8::1"), SrcNet: 48, DstNet: 32}},
		{"next hop of unknown type does not cost the prefix lengths", framed(1002, words(0, 24, 16)),
			flow.Record{SrcNet: 24, DstNet: 16}},
		{"prefix lengths that cannot be are unknown", framed(1002, words(0, 0xffffffff, 129)), flow.Record{}},
		{"VLANs", framed(1001, words(100, 5, 200, 0)), flow.Record{SrcVlan: 100, DstVlan: 200}},
		{"VLANs that cannot be are unknown", framed(1001, words(0xffffffff, 0, 4096, 0)), flow.Record{}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(test.record)))
			got := flow.Record{NextHop: r.NextHop, SrcNet: r.SrcNet, DstNet: r.DstNet, SrcVlan: r.SrcVlan, DstVlan: r.DstVlan}
			if diff := cmp.Diff(test.want, got, compareAddrs); diff != "" {
				t.Errorf("record differs (-want +got):\n%s", diff)
			}
		})
	}
}

// What is longer than a FlowMessage can be is cut off, and the last AS still known.
func TestLongRoutesAreCutOff(t *testing.T) {
	path, communities := make([]uint32, 200), make([]uint32, 200)
	for i := range path {
		path[i], communities[i] = uint32(1000+i), uint32(2000+i)
	}
	record := framed(1003, words(1, 0, 1, 2, 3, 2, 2, 100), words(path[:100]...), words(2, 100), words(path[100:]...),
		words(200), words(communities...), words(100))
	r := decodeOne(t, datagramOf(sampleOf(record)))
	if diff := cmp.Diff(path[:flow.MaxASPath], r.ASPath); diff != "" {
		t.Errorf("path differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(communities[:flow.MaxCommunities], r.Communities); diff != "" {
		t.Errorf("communities differ (-want +got):\n%s", diff)
	}
	if r.DstAS != 1199 {
		t.Errorf("destination AS %d, want 1199", r.DstAS)
	}
}
