package packet_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// The inner packets share their addresses, too, which are not those of the outer ones.

func tunnel(kind pb.FlowMessage_Tunnel, vni uint32) option {
	return func(r *flow.Record) { r.TunnelType, r.VNI = kind, vni }
}

func inner4(proto uint32) option {
	return func(r *flow.Record) {
		r.HasEncap = true
		r.EtypeEncap, r.ProtoEncap, r.IPTosEncap, r.IPTTLEncap, r.FragmentIDEncap = 0x0800, proto, 0xb8, 64, 0x1234
		r.SrcAddrEncap, r.DstAddrEncap = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	}
}

func inner6(proto uint32) option {
	return func(r *flow.Record) {
		r.HasEncap = true
		r.EtypeEncap, r.ProtoEncap, r.IPTosEncap, r.IPTTLEncap, r.IPv6FlowLabelEncap = 0x86dd, proto, 0xb8, 64, 0xabcde
		r.SrcAddrEncap, r.DstAddrEncap = netip.MustParseAddr("2001:db8:a::1"), netip.MustParseAddr("2001:db8:a::2")
	}
}

// innerTCP is the TCP header of the inner packets.
func innerTCP(r *flow.Record) {
	innerPorts(50000, 443)(r)
	r.TCPFlagsEncap = 0x12
}

func innerPorts(src, dst uint32) option {
	return func(r *flow.Record) { r.SrcPortEncap, r.DstPortEncap = src, dst }
}

func innerTo(dst string) option {
	return func(r *flow.Record) { r.DstAddrEncap = netip.MustParseAddr(dst) }
}

func innerFrom(src string) option {
	return func(r *flow.Record) { r.SrcAddrEncap = netip.MustParseAddr(src) }
}

func innerOffset(offset uint32) option {
	return func(r *flow.Record) { r.FragmentOffsetEncap = offset }
}

const (
	gre    = pb.FlowMessage_TUNNEL_GRE
	ipip   = pb.FlowMessage_TUNNEL_IPIP
	vxlan  = pb.FlowMessage_TUNNEL_VXLAN
	geneve = pb.FlowMessage_TUNNEL_GENEVE
	teredo = pb.FlowMessage_TUNNEL_TEREDO
	nvgre  = pb.FlowMessage_TUNNEL_NVGRE
)

var teredoInside = record(inner6(6), innerFrom("2001:0:c000:201::1"), innerTCP)

var tunnels = []packetTest{
	{"IPv4 in GRE is read", "gre", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 0), inner4(17), innerTo("198.51.100.2"), innerPorts(50000, 53))},
	{"GRE with checksum, key and sequence number is read, and the key is the network", "gre-checksum-key-sequence", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 123456), inner6(6), innerTCP)},
	{"a frame with a VLAN in GRE is read, and the VLAN is not taken for the outer one", "gre-frame", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 0), inner4(6), innerTCP)},
	{"a frame in GRE with a small key is not taken for NVGRE", "gre-frame-small-key", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 42), inner4(6), innerTCP)},
	{"MPLS in GRE is read, and its labels are not taken for outer ones", "gre-mpls", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 0), inner4(6), innerTCP)},
	{"GRE without a payload has no inner packet", "gre-keepalive", packet.Ethernet, record(macs, ipv4(47), tunnel(gre, 0))},
	{"GRE cut in its key is no tunnel", "gre-cut-in-key", packet.Ethernet, record(macs, ipv4(47))},
	{"PPTP is declined", "gre-version-1", packet.Ethernet, record(macs, ipv4(47))},
	{"GRE with a source route is declined", "gre-source-route", packet.Ethernet, record(macs, ipv4(47))},
	{"NVGRE is read, and its network is without the FlowID", "nvgre", packet.Ethernet,
		record(macs, ipv4(47), tunnel(nvgre, 12345), inner4(6), innerTCP)},

	{"IPv4 in IPv4 is read", "ipip-4in4", packet.Ethernet, record(macs, ipv4(4), tunnel(ipip, 0), inner4(6), innerTCP)},
	{"IPv6 in IPv4 is read", "ipip-6in4", packet.Ethernet, record(macs, ipv4(41), tunnel(ipip, 0), inner6(6), innerTCP)},
	{"IPv4 in IPv6 is read behind the limit of encapsulations", "ipip-4in6", packet.Ethernet,
		record(macs, ipv6(4), tunnel(ipip, 0), inner4(6), innerTCP)},
	{"IPv6 in IPv6 is read", "ipip-6in6", packet.Ethernet, record(macs, ipv6(41), tunnel(ipip, 0), inner6(6), innerTCP)},
	{"a first fragment has an inner packet", "ipip-first-fragment", packet.Ethernet,
		record(macs, ipv4(4), tunnel(ipip, 0), inner4(6), innerTCP)},
	{"a later fragment has no tunnel, whatever its data looks like", "ipip-later-fragment", packet.Ethernet,
		record(macs, ipv4(4), fragment(0x1234, 185))},
	{"a fragment inside is not taken for one outside, and has no ports", "ipip-fragment-inside", packet.Ethernet,
		record(macs, ipv4(4), tunnel(ipip, 0), inner4(6), innerOffset(185))},
	{"an inner packet that is cut off tells what is there", "ipip-cut-inside", packet.Ethernet,
		record(macs, ipv4(4), tunnel(ipip, 0), inner4(6))},
	{"without an inner IP header there is no inner packet", "ipip-no-ip-inside", packet.Ethernet,
		record(macs, ipv4(4), tunnel(ipip, 0))},

	{"IPv4 in VXLAN is read", "vxlan", packet.Ethernet,
		record(macs, ipv4(17), ports(50000, 4789), tunnel(vxlan, 42), inner4(6), innerTo("198.51.100.2"), innerPorts(22, 23))},
	{"VXLAN is read at the port that Linux uses", "vxlan-linux-port", packet.Ethernet,
		record(macs, ipv6(17), ports(50000, 8472), tunnel(vxlan, 42), inner6(6), innerTCP)},
	{"VXLAN with a group policy is read", "vxlan-group-policy", packet.Ethernet,
		record(macs, ipv4(17), ports(50000, 4789), tunnel(vxlan, 42), inner4(6), innerTCP)},
	{"VXLAN with ARP has no inner packet", "vxlan-arp", packet.Ethernet,
		record(macs, ipv4(17), ports(50000, 4789), tunnel(vxlan, 42))},
	{"VXLAN without a network is something else", "vxlan-no-network", packet.Ethernet, record(macs, ipv4(17), ports(50000, 4789))},
	{"VXLAN with reserved bits is something else", "vxlan-reserved-bits", packet.Ethernet, record(macs, ipv4(17), ports(50000, 4789))},
	{"what comes from VXLAN's port is not VXLAN", "vxlan-reply-port", packet.Ethernet, record(macs, ipv4(17), ports(4789, 50000))},

	{"Geneve is read behind its options", "geneve-options", packet.Ethernet,
		record(macs, ipv4(17), ports(50000, 6081), tunnel(geneve, 42), inner4(6), innerTCP)},
	{"IPv6 without a frame in Geneve is read", "geneve-ip", packet.Ethernet,
		record(macs, ipv6(17), ports(50000, 6081), tunnel(geneve, 16777214), inner6(6), innerTCP)},
	{"Geneve cut in its options has a network", "geneve-options-cut", packet.Ethernet,
		record(macs, ipv4(17), ports(50000, 6081), tunnel(geneve, 42))},
	{"a later version of Geneve is declined", "geneve-version-1", packet.Ethernet, record(macs, ipv4(17), ports(50000, 6081))},

	{"Teredo is read", "teredo", packet.Ethernet, record(macs, ipv4(17), ports(50000, 3544), tunnel(teredo, 0), inside(teredoInside))},
	{"Teredo is read behind its indications", "teredo-indications", packet.Ethernet,
		record(macs, ipv4(17), ports(3544, 50000), tunnel(teredo, 0), inside(teredoInside))},
	{"IPv6 that does not fill the datagram is not Teredo", "teredo-trailing-bytes", packet.Ethernet, record(macs, ipv4(17), ports(50000, 3544))},
	{"something else at Teredo's port is left alone", "teredo-other-protocol", packet.Ethernet, record(macs, ipv4(17), ports(50000, 3544))},

	{"of a tunnel in a tunnel, the outermost counts", "tunnel-in-tunnel", packet.Ethernet,
		record(macs, ipv4(47), tunnel(gre, 42), inner4(4))},
}

func inside(other flow.Record) option {
	return func(r *flow.Record) { r.HasEncap, r.Inner = true, other.Inner }
}

// An agent that knows where a tunnel ends tells it by an offset: what begins there can
// be a frame or a packet.
func TestContentOfUnknownTunnels(t *testing.T) {
	frame := golden.Bytes(t, "ethernet-ipv4-tcp")
	for promise, b := range map[string][]byte{"a frame is read": frame, "an IP packet is read": frame[14:]} {
		var got flow.Record
		packet.Inner(b, &got)
		want := record(inner4(6), innerFrom("192.0.2.1"), innerTo("198.51.100.2"), innerTCP)
		if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", promise, diff)
		}
	}
	for promise, b := range map[string][]byte{"nothing": nil, "ARP": golden.Bytes(t, "arp"), "a cut IP header": frame[14:30]} {
		var got flow.Record
		packet.Inner(b, &got)
		if diff := cmp.Diff(flow.Record{}, got, compareAddrs); diff != "" {
			t.Errorf("%s is taken for a packet:\n%s", promise, diff)
		}
	}
}

func TestTunnelOf(t *testing.T) {
	for _, test := range []struct {
		proto, port uint32
		want        pb.FlowMessage_Tunnel
	}{
		{4, 0, ipip}, {41, 0, ipip}, {47, 0, gre}, {17, 4789, vxlan}, {17, 8472, vxlan}, {17, 6081, geneve}, {17, 3544, teredo},
		{6, 4789, pb.FlowMessage_TUNNEL_NONE}, {17, 53, pb.FlowMessage_TUNNEL_NONE},
	} {
		if got := packet.TunnelOf(test.proto, test.port); got != test.want {
			t.Errorf("protocol %d, port %d: %v, want %v", test.proto, test.port, got, test.want)
		}
	}
}
