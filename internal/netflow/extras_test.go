package netflow

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Each case is as in TestFieldsOfARecord.
func TestFactsThatFewExportersSend(t *testing.T) {
	v4, v6 := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")
	label := func(label uint32, last byte) []byte { return u32(label<<4 | uint32(last))[1:] }
	labels := func(labels flow.Labels) flow.Record { return flow.Record{HasMPLS: true, Labels: labels} }
	list := func(semantic byte, id uint16, values ...uint32) []byte {
		b := join([]byte{semantic}, u16(id), u16(4))
		for _, v := range values {
			b = join(b, u32(v))
		}
		return join(u8(uint8(len(b))), b)
	}
	for name, test := range map[string]struct {
		fields []field
		values []byte
		want   flow.Record
	}{
		"NAT of IPv4":                         {[]field{{225, 4}, {226, 4}, {227, 2}, {228, 2}, {230, 1}}, join(addr("198.51.100.7"), addr("198.51.100.7"), u16(1024), u16(443), u8(4)), flow.Record{PostNATSrcAddr: v4, PostNATDstAddr: v4, PostNATSrcPort: 1024, PostNATDstPort: 443, NATEvent: 4}},
		"NAT of IPv6":                         {[]field{{281, 16}, {282, 16}}, join(addr("2001:db8::7"), addr("2001:db8::7")), flow.Record{PostNATSrcAddr: v6, PostNATDstAddr: v6}},
		"NAT of both, IPv6 used":              {[]field{{225, 4}, {281, 16}}, join(zeros(4), addr("2001:db8::7")), flow.Record{PostNATSrcAddr: v6}},
		"NAT of both, IPv4 used":              {[]field{{281, 16}, {225, 4}}, join(zeros(16), addr("198.51.100.7")), flow.Record{PostNATSrcAddr: v4}},
		"BGP next hop beside the next router": {[]field{{15, 4}, {18, 4}}, join(addr("198.51.100.7"), addr("192.0.2.1")), flow.Record{NextHop: v4, BGPNextHop: netip.MustParseAddr("192.0.2.1")}},
		"BGP next hop of IPv6":                {[]field{{15, 4}, {63, 16}}, join(zeros(4), addr("2001:db8::7")), flow.Record{NextHop: v6, BGPNextHop: v6}},
		"a firewall's event":                  {[]field{{233, 1}}, u8(3), flow.Record{FirewallEvent: 3}},
		"why a flow ended":                    {[]field{{136, 1}}, u8(2), flow.Record{FlowEndReason: 2}},
		"direction ingress is one":            {[]field{{61, 1}}, u8(0), flow.Record{HasFlowDirection: true}},
		"application by number":               {[]field{{95, 4}}, u32(0x0d00_0035), flow.Record{ApplicationID: 0x0d00_0035}},
		"application of 7 bytes":              {[]field{{95, 7}}, join(u8(20), u16(1), u32(2)), flow.Record{ApplicationID: 20<<48 | 1<<32 | 2}},
		"application by name":                 {[]field{{96, 8}}, []byte("dns\x00\x00\x00\x00\x00"), flow.Record{ApplicationName: "dns"}},
		"a name that is no text":              {[]field{{96, 4}}, []byte("d\xffns"), flow.Record{ApplicationName: "d?ns"}},
		"a name that is too long":             {[]field{{96, 200}}, []byte(strings.Repeat("x", 200)), flow.Record{ApplicationName: strings.Repeat("x", flow.MaxName)}},
		"MPLS labels":                         {[]field{{70, 3}, {71, 3}, {72, 3}, {73, 3}}, join(label(16, 0), label(17, 0), label(18, 0), label(19, 1)), labels(flow.Labels{MPLSCount: 4, MPLS1Label: 16, MPLS2Label: 17, MPLS3Label: 18, MPLSLastLabel: 19})},
		"fewer MPLS labels than fields":       {[]field{{70, 3}, {71, 3}, {72, 3}}, join(label(16, 0), label(0, 1), zeros(3)), labels(flow.Labels{MPLSCount: 2, MPLS1Label: 16})},
		"no MPLS label":                       {[]field{{70, 3}, {71, 3}, {200, 1}, {202, 4}}, zeros(11), flow.Record{}},
		"MPLS depth and time to live":         {[]field{{70, 3}, {200, 1}, {202, 4}}, join(label(16, 0), u8(63), u32(5)), labels(flow.Labels{MPLSCount: 5, MPLS1TTL: 63, MPLS1Label: 16, MPLSLastLabel: 16})},
		"VXLAN":                               {[]field{{351, 8}}, u64(1<<56 | 5000), flow.Record{TunnelType: pb.FlowMessage_TUNNEL_VXLAN, VNI: 5000}},
		"NVGRE":                               {[]field{{351, 8}}, u64(2<<56 | 5000), flow.Record{TunnelType: pb.FlowMessage_TUNNEL_NVGRE, VNI: 5000}},
		"another overlay network":             {[]field{{351, 8}}, u64(9<<56 | 5000), flow.Record{TunnelType: pb.FlowMessage_TUNNEL_OTHER, VNI: 5000}},
		"no overlay network":                  {[]field{{351, 8}}, u64(0), flow.Record{}},
		"communities":                         {[]field{{485, variable}}, list(3, 483, 64500<<16|1, 64500<<16|2), flow.Record{Communities: []uint32{64500<<16 | 1, 64500<<16 | 2}}},
		"a list of something else":            {[]field{{485, variable}}, list(3, 16, 64500), flow.Record{Communities: []uint32{}}},
		"a list cut off":                      {[]field{{485, variable}}, []byte{4, 3, 1, 0xe3, 0}, flow.Record{Communities: []uint32{}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, version := range []int{9, 10} {
				if version == 9 && test.fields[0].length == variable {
					continue
				}
				want := recordOf(t, version, []field{{399, 4}}, zeros(4))
				got := recordOf(t, version, test.fields, test.values)
				overlay(&want, test.want)
				equal(t, want, got)
			}
		})
	}
}

func TestApplicationIsNamedByOptions(t *testing.T) {
	options := v9(
		set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{95, 4}, {96, 8}})),
		set(300, u32(0), u32(0x0300_0035), []byte("dns\x00\x00\x00\x00\x00"), u32(0), u32(0x0d00_0001), []byte("unknown\x00")))
	flows := v9(set(0, template(256, field{95, 4}), template(257, field{95, 4}, field{96, 4})),
		set(256, u32(0x0300_0035), u32(0x0300_0036)), set(257, u32(0x0300_0035), []byte("mdns")))
	names := []string{}
	for _, r := range decodeAll(t, options, flows) {
		names = append(names, r.ApplicationName)
	}
	equal(t, []string{"dns", "", "mdns"}, names)
}

// packetOf is the beginning of a UDP packet of 1500 bytes in a VXLAN one.
var packetOf = join([]byte{0x45, 0, 0x05, 0xdc, 0, 9, 0, 0, 63, 17, 0, 0}, addr("198.51.100.7"), addr("203.0.113.9"),
	u16(51_000), u16(4789), u16(1480), u16(0), []byte{8, 0, 0, 0, 0, 0x13, 0x88, 0},
	u16(0x0200), u32(4), u16(0x0200), u32(3), u16(0x0800),
	[]byte{0x45, 0, 0, 40, 0, 1, 0, 0, 62, 6, 0, 0}, addr("10.0.0.1"), addr("10.0.0.2"), u16(443), u16(40_000))

func TestPacketInsideARecord(t *testing.T) {
	r := recordOf(t, 10, []field{{313, uint16(len(packetOf))}, {4, 1}, {7, 2}, {14, 4}}, packetOf, u8(0), u16(0), u32(4))
	want := recordOf(t, 10, []field{{399, 4}}, zeros(4))
	overlay(&want, flow.Record{
		Bytes: 1500, Packets: 1, OutIf: 4, Etype: 0x0800, Proto: 17, SrcPort: 51_000, DstPort: 4789, IPTTL: 63, FragmentID: 9,
		SrcAddr: netip.MustParseAddr("198.51.100.7"), DstAddr: netip.MustParseAddr("203.0.113.9"),
		TunnelType: pb.FlowMessage_TUNNEL_VXLAN, VNI: 5000, HasEncap: true,
		Inner: flow.Inner{SrcAddrEncap: netip.MustParseAddr("10.0.0.1"), DstAddrEncap: netip.MustParseAddr("10.0.0.2"),
			EtypeEncap: 0x0800, ProtoEncap: 6, SrcPortEncap: 443, DstPortEncap: 40_000, IPTTLEncap: 62, FragmentIDEncap: 1},
	})
	equal(t, want, r)
}

func TestTunnelEndsWithItsRecord(t *testing.T) {
	fields := []field{{315, variable}, {1, 4}}
	frame := join(u16(0x0200), u32(2), u16(0x0200), u32(1), u16(0x0800), packetOf)
	plain := join(u16(0x0200), u32(2), u16(0x0200), u32(1), u16(0x0806))
	records := decodeAll(t, ipfix10(set(2, template(256, fields...)),
		set(256, u8(uint8(len(frame))), frame, u32(1), u8(uint8(len(plain))), plain, u32(2))))
	second := decodeAll(t, ipfix10(set(2, template(256, fields...)), set(256, u8(uint8(len(plain))), plain, u32(2))))
	if !records[0].HasEncap {
		t.Error("the first record has no inner packet")
	}
	equal(t, second[0], records[1])
}

func TestNamesAreRememberedUpToABound(t *testing.T) {
	d := NewDecoder(exporter.NewTable(exporter.Config{}), nil, nil)
	for i := range uint32(3 * maxNames) {
		d.name(u32(i))
	}
	if len(d.names) > maxNames {
		t.Errorf("%d names, want at most %d", len(d.names), maxNames)
	}
}
