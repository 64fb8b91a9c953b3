package packet_test

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/packet"
)

// The golden packets share their addresses; these options say what else is in them.
type option func(*flow.Record)

func record(options ...option) flow.Record {
	var r flow.Record
	for _, o := range options {
		o(&r)
	}
	return r
}

func macs(r *flow.Record) { r.DstMac, r.SrcMac = 0x02000000000b, 0x02000000000a }

func etype(v uint32) option { return func(r *flow.Record) { r.Etype = v } }

func ipv4(proto uint32) option {
	return func(r *flow.Record) {
		r.Etype, r.Proto, r.IPTos, r.IPTTL, r.FragmentID = 0x0800, proto, 0xb8, 64, 0x1234
		r.SrcAddr, r.DstAddr = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	}
}

func ipv6(proto uint32) option {
	return func(r *flow.Record) {
		r.Etype, r.Proto, r.IPTos, r.IPTTL, r.IPv6FlowLabel = 0x86dd, proto, 0xb8, 64, 0xabcde
		r.SrcAddr, r.DstAddr = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2")
	}
}

func ports(src, dst uint32) option {
	return func(r *flow.Record) { r.SrcPort, r.DstPort = src, dst }
}

func flags(v uint32) option { return func(r *flow.Record) { r.TCPFlags = v } }
func vlan(v uint32) option  { return func(r *flow.Record) { r.VlanID = v } }

func icmp(kind, code uint32) option {
	return func(r *flow.Record) { r.IcmpType, r.IcmpCode = kind, code }
}

func fragment(id, offset uint32) option {
	return func(r *flow.Record) { r.FragmentID, r.FragmentOffset = id, offset }
}

func pointToPoint(addressControl uint32) option {
	return func(r *flow.Record) { r.HasPPP, r.PPPAddressControl = true, addressControl }
}

// labels is a stack of labels of TTL 64.
func labels(stack ...uint32) option {
	return func(r *flow.Record) {
		r.HasMPLS, r.MPLSCount = true, uint32(len(stack))
		r.MPLS1Label, r.MPLS1TTL = stack[0], 64
		if len(stack) > 1 {
			r.MPLS2Label, r.MPLS2TTL = stack[1], 64
		}
		r.MPLSLastLabel, r.MPLSLastTTL = stack[len(stack)-1], 64
	}
}

func fourLabels(r *flow.Record) {
	r.HasMPLS = true
	r.Labels = flow.Labels{MPLSCount: 4, MPLS1Label: 100, MPLS1TTL: 61, MPLS2Label: 200, MPLS2TTL: 62,
		MPLS3Label: 300, MPLS3TTL: 63, MPLSLastLabel: 1<<20 - 1, MPLSLastTTL: 64}
}

func cutLabels(r *flow.Record) {
	r.HasMPLS = true
	r.Labels = flow.Labels{MPLS1Label: 100, MPLS1TTL: 61, MPLS2Label: 200, MPLS2TTL: 62}
}

type packetTest struct {
	promise string
	file    string
	read    func([]byte, *flow.Record)
	want    flow.Record
}

var packets = append([]packetTest{
	{"IPv4 and TCP are read", "ethernet-ipv4-tcp", packet.Ethernet, record(macs, ipv4(6), ports(50000, 443), flags(0x12))},
	{"IPv6 and UDP are read", "ethernet-ipv6-udp", packet.Ethernet, record(macs, ipv6(17), ports(50000, 53))},

	{"the VLAN id is without priority bits", "vlan-with-priority", packet.Ethernet, record(macs, vlan(100), ipv4(17), ports(50000, 53))},
	{"a tag that is cut off is no VLAN and no Ethertype", "vlan-cut-in-tag", packet.Ethernet, record(macs)},
	{"of 802.1ad, the outer VLAN is reported and the packet read", "qinq-88a8", packet.Ethernet, record(macs, vlan(200), ipv4(17), ports(50000, 53))},
	{"of three stacked tags, the outermost VLAN is reported and the packet read", "stacked-9100", packet.Ethernet, record(macs, vlan(200), ipv6(17), ports(50000, 53))},

	{"IPv4 in a PPPoE session is read", "pppoe-ipv4", packet.Ethernet, record(macs, pointToPoint(0), ipv4(17), ports(50000, 53))},
	{"IPv6 in a PPPoE session is read", "pppoe-ipv6", packet.Ethernet, record(macs, pointToPoint(0), ipv6(17), ports(50000, 53))},
	{"PPPoE other than session data is not taken for a packet", "pppoe-discovery-code", packet.Ethernet, record(macs, etype(0x8864))},
	{"IPv4 below a stack of MPLS labels is read", "mpls-ipv4", packet.Ethernet, record(macs, labels(100, 200), ipv4(17), ports(50000, 53))},
	{"IPv6 below an MPLS label is read", "mpls-ipv6", packet.Ethernet, record(macs, labels(2), ipv6(17), ports(50000, 53))},
	{"an MPLS pseudowire is not taken for a packet", "mpls-pseudowire", packet.Ethernet, record(macs, labels(100), etype(0x8847))},
	{"of four MPLS labels, the first three and the last are reported", "mpls-four-labels", packet.Ethernet, record(macs, fourLabels, ipv4(17), ports(50000, 53))},
	{"a label stack that is cut off has no number and no last label", "mpls-cut-in-stack", packet.Ethernet, record(macs, cutLabels, etype(0x8848))},
	{"PPP in HDLC framing is read", "ppp-hdlc-ipv4", packet.PPP, record(pointToPoint(0xff03), ipv4(17), ports(50000, 53))},
	{"PPP with a protocol of one byte is read", "ppp-short-protocol-ipv6", packet.PPP, record(pointToPoint(0), ipv6(17), ports(50000, 53))},

	{"IPv4 options do not move the ports", "ipv4-options", packet.Ethernet, record(macs, ipv4(17), ports(50000, 53))},
	{"IPv4 options that are cut off are not taken for ports", "ipv4-options-cut", packet.Ethernet, record(macs, ipv4(17))},
	{"an impossible IPv4 header length gives no ports", "ipv4-short-header-length", packet.Ethernet, record(macs, ipv4(17))},
	{"the padding of a frame is not taken for ports", "ipv4-frame-padding", packet.Ethernet, record(macs, ipv4(17))},
	{"an IPv4 length of 0 does not hide the ports", "ipv4-length-zero", packet.Ethernet, record(macs, ipv4(17), ports(50000, 53))},
	{"the first fragment has ports", "ipv4-first-fragment", packet.Ethernet, record(macs, ipv4(17), ports(50000, 53))},
	{"a later fragment has no ports", "ipv4-later-fragment", packet.Ethernet, record(macs, ipv4(17), fragment(0x1234, 185))},

	{"ICMPv6 behind hop-by-hop options is read", "ipv6-hop-by-hop", packet.Ethernet, record(macs, ipv6(58), icmp(143, 0))},
	{"UDP behind destination options is read", "ipv6-destination-options", packet.Ethernet, record(macs, ipv6(17), ports(50000, 53))},
	{"TCP behind an authentication header is read", "ipv6-authentication", packet.Ethernet, record(macs, ipv6(6), ports(50000, 443), flags(0x12))},
	{"UDP behind four extension headers is read", "ipv6-chain", packet.Ethernet, record(macs, ipv6(17), fragment(0x1001, 0), ports(50000, 53))},
	{"a later IPv6 fragment has no ports", "ipv6-later-fragment", packet.Ethernet, record(macs, ipv6(17), fragment(0x1001, 185))},
	{"a chain that is cut off reports the deepest protocol", "ipv6-cut-in-chain", packet.Ethernet, record(macs, ipv6(17))},
	{"ESP has no ports", "ipv6-esp", packet.Ethernet, record(macs, ipv6(50))},

	{"TCP flags are found in front of TCP options", "tcp-options", packet.Ethernet, record(macs, ipv4(6), ports(50000, 443), flags(0xc2))},
	{"TCP cut behind its ports has ports", "tcp-cut-behind-ports", packet.Ethernet, record(macs, ipv4(6), ports(50000, 443))},
	{"TCP cut between its ports has none", "tcp-cut-in-ports", packet.Ethernet, record(macs, ipv4(6))},
	{"the type and code of ICMP are read", "icmp-unreachable", packet.Ethernet, record(macs, ipv4(1), icmp(3, 4))},
	{"SCTP has ports", "sctp", packet.Ethernet, record(macs, ipv4(132), ports(50000, 2905))},
	{"DCCP has ports", "dccp", packet.Ethernet, record(macs, ipv4(33), ports(50000, 5001))},
	{"UDP-Lite has ports", "udplite", packet.Ethernet, record(macs, ipv6(136), ports(50000, 5004))},

	{"the length of an 802.3 frame is no Ethertype", "llc", packet.Ethernet, record(macs, func(r *flow.Record) { r.DstMac = 0x0180c2000000 })},
	{"ARP is reported by its Ethertype", "arp", packet.Ethernet, record(macs, etype(0x0806), func(r *flow.Record) { r.DstMac = 0xffffffffffff })},
}, tunnels...)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{})

func TestPackets(t *testing.T) {
	for _, p := range packets {
		t.Run(p.promise, func(t *testing.T) {
			var got flow.Record
			p.read(golden.Bytes(t, p.file), &got)
			if diff := cmp.Diff(p.want, got, compareAddrs); diff != "" {
				t.Errorf("%s.hex reads differently (-want +got):\n%s", p.file, diff)
			}
		})
	}
}

// Snapped at any byte, a packet tells less, but nothing else.
func TestCutPacketsTellNothingElse(t *testing.T) {
	for _, p := range packets {
		t.Run(p.file, func(t *testing.T) {
			whole := golden.Bytes(t, p.file)
			for n := range whole {
				var got flow.Record
				p.read(whole[:n:n], &got)
				if field, ok := contradiction(got, p.want); ok {
					t.Errorf("cut at byte %d, %s differs (-whole +cut):\n%s", n, field, cmp.Diff(p.want, got, compareAddrs))
				}
			}
		})
	}
}

// contradiction names a field of cut that is neither zero nor that of whole. Some
// change on the way down and are allowed to be what an upper header said: the
// Ethertype of MPLS and PPPoE becomes that of IP, and the protocol of IPv6 goes from
// one extension header to the next.
func contradiction(cut, whole flow.Record) (field string, ok bool) {
	changing := []string{"Etype", "Proto", "EtypeEncap", "ProtoEncap"}
	cutValue, wholeValue := reflect.ValueOf(cut), reflect.ValueOf(whole)
	for _, f := range reflect.VisibleFields(cutValue.Type()) {
		if f.Anonymous || slices.Contains(changing, f.Name) {
			continue
		}
		c, w := cutValue.FieldByIndex(f.Index), wholeValue.FieldByIndex(f.Index)
		if !c.IsZero() && !reflect.DeepEqual(c.Interface(), w.Interface()) {
			return f.Name, true
		}
	}
	return "", false
}

func TestReadingAllocatesNothing(t *testing.T) {
	for _, p := range packets {
		b := golden.Bytes(t, p.file)
		var r flow.Record
		if n := testing.AllocsPerRun(10, func() { p.read(b, &r) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", p.file, n)
		}
	}
}

func BenchmarkEthernet(b *testing.B) {
	for _, name := range []string{"ethernet-ipv4-tcp", "qinq-88a8", "mpls-ipv4", "ipv6-chain", "vxlan", "ipip-4in6"} {
		b.Run(name, func(b *testing.B) {
			frame := golden.Bytes(b, name)
			b.ReportAllocs()
			for b.Loop() {
				var r flow.Record
				packet.Ethernet(frame, &r)
			}
		})
	}
}
