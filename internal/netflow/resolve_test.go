package netflow

import (
	"net/netip"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Each case is one record, sent as NetFlow v9 and as IPFIX, and what of the Record
// must be set; everything else must be as in a record without fields.
func TestFieldsOfARecord(t *testing.T) {
	v4, v6 := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")
	for name, test := range map[string]struct {
		fields []field
		values []byte
		want   flow.Record
	}{
		"counters of reduced size":               {[]field{{1, 3}, {2, 1}}, join(u8(1), u16(0), u8(5)), flow.Record{Bytes: 65_536, Packets: 5}},
		"counters of 8 bytes":                    {[]field{{1, 8}, {2, 8}}, join(u64(1<<40), u64(1<<33)), flow.Record{Bytes: 1 << 40, Packets: 1 << 33}},
		"a number wider than any is none":        {[]field{{1, 9}, {2, 1}}, join(zeros(8), u8(1), u8(5)), flow.Record{Packets: 5}},
		"post counters alone":                    {[]field{{23, 4}, {24, 4}}, join(u32(100), u32(5)), flow.Record{Bytes: 100, Packets: 5}},
		"post counters of 0 behind others":       {[]field{{1, 4}, {2, 4}, {23, 4}, {24, 4}}, join(u32(100), u32(5), u32(0), u32(0)), flow.Record{Bytes: 100, Packets: 5}},
		"post counters where the others are 0":   {[]field{{1, 4}, {2, 4}, {23, 4}, {24, 4}}, join(u32(0), u32(0), u32(100), u32(5)), flow.Record{Bytes: 100, Packets: 5}},
		"post counters do not replace others":    {[]field{{23, 4}, {1, 4}, {24, 4}, {2, 4}}, join(u32(90), u32(100), u32(4), u32(5)), flow.Record{Bytes: 100, Packets: 5}},
		"total counters":                         {[]field{{85, 8}, {86, 8}}, join(u64(100), u64(5)), flow.Record{Bytes: 100, Packets: 5}},
		"initiator and responder":                {[]field{{231, 4}, {232, 4}, {298, 4}, {299, 4}}, join(u32(70), u32(30), u32(3), u32(2)), flow.Record{Bytes: 100, Packets: 5}},
		"layer 2 octets":                         {[]field{{352, 8}}, u64(100), flow.Record{Bytes: 100}},
		"IPv4 addresses, masks and next hop":     {[]field{{8, 4}, {12, 4}, {9, 1}, {13, 1}, {15, 4}}, join(addr("198.51.100.7"), addr("198.51.100.7"), u8(24), u8(22), addr("198.51.100.7")), flow.Record{SrcAddr: v4, DstAddr: v4, NextHop: v4, SrcNet: 24, DstNet: 22, Etype: 0x0800}},
		"IPv6 addresses, masks and next hop":     {[]field{{27, 16}, {28, 16}, {29, 1}, {30, 1}, {62, 16}}, join(addr("2001:db8::7"), addr("2001:db8::7"), u8(64), u8(48), addr("2001:db8::7")), flow.Record{SrcAddr: v6, DstAddr: v6, NextHop: v6, SrcNet: 64, DstNet: 48, Etype: 0x86dd}},
		"an IPv6 address that ends in zeros":     {[]field{{27, 16}}, addr("2001:db8::"), flow.Record{SrcAddr: netip.MustParseAddr("2001:db8::"), Etype: 0x86dd}},
		"an address of neither length":           {[]field{{8, 3}, {1, 1}}, join(zeros(3), u8(1)), flow.Record{Bytes: 1}},
		"both families, IPv4 used":               {[]field{{8, 4}, {27, 16}, {9, 1}, {29, 1}}, join(addr("198.51.100.7"), zeros(16), u8(24), u8(0)), flow.Record{SrcAddr: v4, SrcNet: 24, Etype: 0x0800}},
		"both families, IPv6 used":               {[]field{{8, 4}, {27, 16}, {9, 1}, {29, 1}}, join(zeros(4), addr("2001:db8::7"), u8(0), u8(64)), flow.Record{SrcAddr: v6, SrcNet: 64, Etype: 0x86dd}},
		"both families, and the version says":    {[]field{{8, 4}, {27, 16}, {60, 1}}, join(zeros(4), zeros(16), u8(6)), flow.Record{SrcAddr: netip.IPv6Unspecified(), Etype: 0x86dd}},
		"the BGP next hop where the other is 0":  {[]field{{15, 4}, {18, 4}}, join(zeros(4), addr("198.51.100.7")), flow.Record{NextHop: v4, BGPNextHop: v4}},
		"a next hop of 0 where that is all":      {[]field{{15, 4}, {18, 4}}, zeros(8), flow.Record{NextHop: netip.IPv4Unspecified(), BGPNextHop: netip.IPv4Unspecified()}},
		"ethertype":                              {[]field{{256, 2}}, u16(0x0806), flow.Record{Etype: 0x0806}},
		"ports":                                  {[]field{{4, 1}, {7, 2}, {11, 2}}, join(u8(6), u16(443), u16(51_000)), flow.Record{Proto: 6, SrcPort: 443, DstPort: 51_000}},
		"ports of UDP":                           {[]field{{4, 1}, {180, 2}, {181, 2}}, join(u8(17), u16(53), u16(51_000)), flow.Record{Proto: 17, SrcPort: 53, DstPort: 51_000}},
		"ports of TCP":                           {[]field{{4, 1}, {182, 2}, {183, 2}}, join(u8(6), u16(443), u16(51_000)), flow.Record{Proto: 6, SrcPort: 443, DstPort: 51_000}},
		"no ports of a protocol without":         {[]field{{4, 1}, {7, 2}, {11, 2}}, join(u8(47), u16(1), u16(2)), flow.Record{Proto: 47}},
		"no ports of a later fragment":           {[]field{{4, 1}, {7, 2}, {11, 2}, {88, 2}, {54, 4}}, join(u8(17), u16(1), u16(2), u16(185), u32(9)), flow.Record{Proto: 17, FragmentOffset: 185, FragmentID: 9}},
		"ICMP type and code in one":              {[]field{{4, 1}, {32, 2}, {11, 2}}, join(u8(1), u16(0x0304), u16(0x0304)), flow.Record{Proto: 1, IcmpType: 3, IcmpCode: 4}},
		"ICMP type and code apart":               {[]field{{4, 1}, {176, 1}, {177, 1}}, join(u8(1), u8(3), u8(4)), flow.Record{Proto: 1, IcmpType: 3, IcmpCode: 4}},
		"ICMPv6 type and code in one":            {[]field{{4, 1}, {139, 2}}, join(u8(58), u16(0x0304)), flow.Record{Proto: 58, IcmpType: 3, IcmpCode: 4}},
		"ICMPv6 type and code apart":             {[]field{{4, 1}, {178, 1}, {179, 1}}, join(u8(58), u8(3), u8(4)), flow.Record{Proto: 58, IcmpType: 3, IcmpCode: 4}},
		"ICMP type and code as port":             {[]field{{4, 1}, {7, 2}, {11, 2}}, join(u8(1), u16(0), u16(0x0304)), flow.Record{Proto: 1, IcmpType: 3, IcmpCode: 4}},
		"ICMP of both families, ICMP used":       {[]field{{4, 1}, {32, 2}, {139, 2}}, join(u8(1), u16(0x0304), u16(0)), flow.Record{Proto: 1, IcmpType: 3, IcmpCode: 4}},
		"ICMP of both families apart":            {[]field{{4, 1}, {176, 1}, {177, 1}, {178, 1}, {179, 1}}, join(u8(1), u8(3), u8(4), u8(0), u8(0)), flow.Record{Proto: 1, IcmpType: 3, IcmpCode: 4}},
		"ICMP of both families, ICMPv6 used":     {[]field{{4, 1}, {139, 2}, {32, 2}}, join(u8(58), u16(0x0304), u16(0)), flow.Record{Proto: 58, IcmpType: 3, IcmpCode: 4}},
		"ICMP type and code 0 beside a port":     {[]field{{4, 1}, {32, 2}, {11, 2}}, join(u8(1), u16(0), u16(0x0304)), flow.Record{Proto: 1}},
		"no ICMP type of another protocol":       {[]field{{4, 1}, {32, 2}}, join(u8(6), u16(0x0304)), flow.Record{Proto: 6}},
		"MAC addresses":                          {[]field{{56, 6}, {80, 6}}, join(u16(1), u32(2), u16(3), u32(4)), flow.Record{SrcMac: 1<<32 | 2, DstMac: 3<<32 | 4}},
		"MAC addresses behind the router":        {[]field{{81, 6}, {57, 6}}, join(u16(1), u32(2), u16(3), u32(4)), flow.Record{SrcMac: 1<<32 | 2, DstMac: 3<<32 | 4}},
		"VLANs without priority bits":            {[]field{{58, 2}, {59, 2}}, join(u16(0xa064), u16(0xa065)), flow.Record{VlanID: 100, SrcVlan: 100, DstVlan: 101}},
		"VLANs of 802.1Q elements":               {[]field{{243, 2}, {254, 2}}, join(u16(0xa064), u16(0xa065)), flow.Record{VlanID: 100, SrcVlan: 100, DstVlan: 101}},
		"interfaces":                             {[]field{{10, 2}, {14, 2}, {252, 4}, {253, 4}}, join(u16(3), u16(0), u32(30), u32(40)), flow.Record{InIf: 3, OutIf: 40}},
		"VRFs and directions":                    {[]field{{234, 4}, {235, 4}, {61, 1}, {239, 1}}, join(u32(7), u32(8), u8(1), u8(2)), flow.Record{IngressVrfID: 7, EgressVrfID: 8, FlowDirection: 1, HasFlowDirection: true, BiFlowDirection: 2}},
		"AS numbers of 2 and 4 bytes":            {[]field{{16, 2}, {17, 4}, {128, 4}}, join(u16(64_500), u32(4_200_000_001), u32(64_501)), flow.Record{SrcAS: 64_500, DstAS: 4_200_000_001, NextHopAS: 64_501}},
		"TTL, and the lowest where it is not":    {[]field{{52, 1}}, u8(63), flow.Record{IPTTL: 63}},
		"the highest TTL where that is all":      {[]field{{53, 1}}, u8(63), flow.Record{IPTTL: 63}},
		"the lowest TTL before the highest":      {[]field{{53, 1}, {52, 1}}, join(u8(64), u8(63)), flow.Record{IPTTL: 63}},
		"DSCP where there is no type of service": {[]field{{195, 1}}, u8(46), flow.Record{IPTos: 0xb8}},
		"type of service before DSCP":            {[]field{{5, 1}, {195, 1}}, join(u8(0xb9), u8(46)), flow.Record{IPTos: 0xb9}},
		"TTL before the lowest":                  {[]field{{52, 1}, {192, 1}}, join(u8(1), u8(63)), flow.Record{IPTTL: 63}},
		"TCP flags without the header's length":  {[]field{{6, 2}}, u16(0x5112), flow.Record{TCPFlags: 0x112}},
		"header bits":                            {[]field{{5, 1}, {6, 1}, {31, 4}, {89, 1}}, join(u8(0x28), u8(0x1b), u32(0xabcde), u8(64)), flow.Record{IPTos: 0x28, TCPFlags: 0x1b, IPv6FlowLabel: 0xabcde, ForwardingStatus: 64}},
		"fields of length 0":                     {[]field{{1, 0}, {8, 0}, {2, 4}, {0, 0}}, u32(5), flow.Record{Packets: 5}},
		"fields that nobody knows":               {[]field{{399, 2}, {500, 4}, {32_000, 1}, {2, 4}}, join(zeros(7), u32(5)), flow.Record{Packets: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, version := range []int{9, 10} {
				want := recordOf(t, version, []field{{399, 4}}, zeros(4))
				got := recordOf(t, version, test.fields, test.values)
				overlay(&want, test.want)
				equal(t, want, got)
			}
		})
	}
}

// overlay sets in want what is the same in every record of a test.
func overlay(base *flow.Record, want flow.Record) {
	want.Type, want.TimeReceived, want.SequenceNum = base.Type, base.TimeReceived, base.SequenceNum
	want.SamplingRate, want.SamplingRateSource, want.SamplerAddress = base.SamplingRate, base.SamplingRateSource, base.SamplerAddress
	want.ObservationDomain = base.ObservationDomain
	want.TimeFlowStart, want.TimeFlowEnd = base.TimeFlowStart, base.TimeFlowEnd
	*base = want
}

// Exporters that sample packets send the beginning of the frame instead of fields.
func TestFrameInsideARecord(t *testing.T) {
	frame := join(u16(0x0200), u32(2), u16(0x0200), u32(1), u16(0x8100), u16(0xa064), u16(0x0800),
		[]byte{0x45, 0x28, 0, 40, 0, 9, 0, 0, 63, 17, 0, 0}, addr("198.51.100.7"), addr("203.0.113.9"),
		u16(53), u16(51_000), u16(20), u16(0))
	r := recordOf(t, 10, []field{{10, 4}, {312, 2}, {315, variable}}, u32(3), u16(1500), u8(uint8(len(frame))), frame)
	want := recordOf(t, 10, []field{{399, 4}}, zeros(4))
	overlay(&want, flow.Record{
		Bytes: 1500, Packets: 1, InIf: 3, SrcMac: 0x020000000001, DstMac: 0x020000000002, VlanID: 100,
		Etype: 0x0800, SrcAddr: netip.MustParseAddr("198.51.100.7"), DstAddr: netip.MustParseAddr("203.0.113.9"),
		Proto: 17, SrcPort: 53, DstPort: 51_000, IPTos: 0x28, IPTTL: 63, FragmentID: 9,
	})
	equal(t, want, r)
}
