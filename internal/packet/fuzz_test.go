package packet_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// FuzzEthernet looks for input that makes the reader panic, break a promise of
// FlowMessage, or disagree with gopacket where that can read the frame.
func FuzzEthernet(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var r flow.Record
		packet.Ethernet(frame, &r)
		checkPromises(t, r)
		compareWithGopacket(t, frame, r)
	})
}

func FuzzPPPAndMPLS(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte, *flow.Record){packet.PPP, packet.MPLS, packet.IP} {
			var r flow.Record
			read(b, &r)
			checkPromises(t, r)
		}
	})
}

func checkPromises(t *testing.T, r flow.Record) {
	if r.VlanID > 4095 || r.FragmentOffset > 0x1fff || r.IPv6FlowLabel > 0xfffff {
		t.Errorf("out of range: %+v", r)
	}
	if r.SrcAddr.IsValid() != r.DstAddr.IsValid() || r.SrcAddr.Is4() != r.DstAddr.Is4() {
		t.Errorf("addresses %v and %v do not belong together", r.SrcAddr, r.DstAddr)
	}
	if r.SrcAddr.Is4() && r.Etype != packet.EtypeIPv4 || r.SrcAddr.Is6() && r.Etype != packet.EtypeIPv6 {
		t.Errorf("Ethertype %#x with address %v", r.Etype, r.SrcAddr)
	}
	if r.FragmentOffset > 0 && (r.SrcPort|r.DstPort|r.TCPFlags|r.IcmpType|r.IcmpCode) != 0 {
		t.Errorf("a later fragment with a transport header: %+v", r)
	}
	if !packet.HasPorts(r.Proto) && (r.SrcPort|r.DstPort) != 0 {
		t.Errorf("protocol %d with ports: %+v", r.Proto, r)
	}
	if !r.HasMPLS && r.Labels != (flow.Labels{}) || r.MPLSLastLabel > 1<<20-1 || !r.HasPPP && r.PPPAddressControl != 0 {
		t.Errorf("labels or PPP out of nothing: %+v", r)
	}
	checkInner(t, r)
}

func checkInner(t *testing.T, r flow.Record) {
	if !r.HasEncap {
		if r.Inner != (flow.Inner{}) {
			t.Errorf("an inner packet out of nothing: %+v", r)
		}
		return
	}
	if r.TunnelType == pb.FlowMessage_TUNNEL_NONE || r.FragmentOffset > 0 {
		t.Errorf("an inner packet without a tunnel: %+v", r)
	}
	if !r.SrcAddrEncap.IsValid() || r.SrcAddrEncap.Is4() != r.DstAddrEncap.Is4() ||
		r.SrcAddrEncap.Is4() != (r.EtypeEncap == packet.EtypeIPv4) || r.SrcAddrEncap.Is6() != (r.EtypeEncap == packet.EtypeIPv6) {
		t.Errorf("inner Ethertype %#x with addresses %v and %v", r.EtypeEncap, r.SrcAddrEncap, r.DstAddrEncap)
	}
	if (r.FragmentOffsetEncap > 0 || !packet.HasPorts(r.ProtoEncap)) && (r.SrcPortEncap|r.DstPortEncap|r.TCPFlagsEncap) != 0 {
		t.Errorf("inner ports where there are none: %+v", r)
	}
}

// compareWithGopacket checks what gopacket reads of Ethernet, tags, IP and the ports,
// and of the addresses in a tunnel. Layers behind which the two have different aims,
// and layers that gopacket gives up on, end the comparison.
func compareWithGopacket(t *testing.T, frame []byte, r flow.Record) {
	framed, tagged, inside := false, false, false
	options := gopacket.DecodeOptions{NoCopy: true}
	for _, layer := range gopacket.NewPacket(frame, layers.LayerTypeEthernet, options).Layers() {
		if len(layer.LayerContents()) == 0 {
			return // gopacket keeps a layer that it could not read
		}
		switch l := layer.(type) {
		case *layers.Ethernet:
			if framed && !inside {
				return
			}
			if !framed && (macOf(l.SrcMAC) != r.SrcMac || macOf(l.DstMAC) != r.DstMac) {
				t.Errorf("MAC addresses %x and %x, gopacket has %v and %v", r.SrcMac, r.DstMac, l.SrcMAC, l.DstMAC)
			}
			framed = true
		case *layers.Dot1Q:
			if !inside && !tagged && uint32(l.VLANIdentifier) != r.VlanID {
				t.Errorf("VLAN %d, gopacket has %d", r.VlanID, l.VLANIdentifier)
			}
			tagged = true
		case *layers.IPv4:
			if inside && l.SrcIP == nil {
				return // gopacket has given up at the options
			}
			if inside {
				compareAddresses(t, l.SrcIP, l.DstIP, r.SrcAddrEncap, r.DstAddrEncap)
				return
			}
			if l.Version != 4 || r.Etype != packet.EtypeIPv4 {
				return // gopacket does not ask for the version, and takes more Ethertypes for IPv4
			}
			compareAddresses(t, l.SrcIP, l.DstIP, r.SrcAddr, r.DstAddr)
			if uint32(l.Protocol) != r.Proto || uint32(l.FragOffset) != r.FragmentOffset ||
				uint32(l.TTL) != r.IPTTL || uint32(l.TOS) != r.IPTos || uint32(l.Id) != r.FragmentID {
				t.Errorf("%+v, gopacket has %+v", r, l)
			}
			if r.FragmentOffset > 0 {
				return
			}
			inside = r.HasEncap
		case *layers.IPv6:
			if inside {
				compareAddresses(t, l.SrcIP, l.DstIP, r.SrcAddrEncap, r.DstAddrEncap)
				return
			}
			if l.Version != 6 || r.Etype != packet.EtypeIPv6 {
				return
			}
			compareAddresses(t, l.SrcIP, l.DstIP, r.SrcAddr, r.DstAddr)
			if uint32(l.HopLimit) != r.IPTTL || uint32(l.TrafficClass) != r.IPTos || l.FlowLabel != r.IPv6FlowLabel {
				t.Errorf("%+v, gopacket has %+v", r, l)
			}
			if uint32(l.NextHeader) != r.Proto {
				return
			}
			inside = r.HasEncap
		case *layers.TCP:
			comparePorts(t, r, uint32(l.SrcPort), uint32(l.DstPort))
			return
		case *layers.UDP:
			comparePorts(t, r, uint32(l.SrcPort), uint32(l.DstPort))
		case *layers.SCTP:
			comparePorts(t, r, uint32(l.SrcPort), uint32(l.DstPort))
			return
		case *layers.GRE, *layers.VXLAN, *layers.Geneve:
			if !inside {
				return
			}
		default:
			return
		}
	}
}

func compareAddresses(t *testing.T, src, dst net.IP, gotSrc, gotDst netip.Addr) {
	s, _ := netip.AddrFromSlice(src)
	d, _ := netip.AddrFromSlice(dst)
	if s != gotSrc || d != gotDst {
		t.Errorf("%v to %v, gopacket has %v to %v", gotSrc, gotDst, s, d)
	}
}

func comparePorts(t *testing.T, r flow.Record, src, dst uint32) {
	if src != r.SrcPort || dst != r.DstPort {
		t.Errorf("ports %d and %d, gopacket has %d and %d", r.SrcPort, r.DstPort, src, dst)
	}
}

func macOf(a net.HardwareAddr) uint64 {
	return packet.MAC([6]byte(a))
}
