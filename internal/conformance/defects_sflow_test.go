package conformance

import (
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func TestGoflow2Defect07VLANPriorityIsNotPartOfTheID(t *testing.T) {
	r := decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeDot1Q), tag(100, 5, layers.EthernetTypeIPv4), ipv4(6), tcp())))
	if r.VlanID != 100 {
		t.Errorf("VLAN %d, want 100", r.VlanID)
	}
	hasPorts(t, r)
}

func TestGoflow2Defect08HeadersAreAsLongAsTheySay(t *testing.T) {
	ip := ipv4(6)
	ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}} // router alert
	hasPorts(t, decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), ip, tcp()))))

	// Behind IP in IP the offset of the ports depends on both headers.
	inner := decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), func() *layers.IPv4 { ip.Protocol = 4; return ip }(), ipv4(6), tcp())))
	if inner.SrcPortEncap != 50000 || inner.DstPortEncap != 443 {
		t.Errorf("inner ports %d and %d", inner.SrcPortEncap, inner.DstPortEncap)
	}
}

func TestGoflow2Defect09LaterFragmentsHaveNoPorts(t *testing.T) {
	ip := ipv4(6)
	ip.FragOffset = 185
	r := decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), ip, gopacket.Payload("\xc3\x50\x01\xbb is not a header"))))
	if r.SrcPort != 0 || r.DstPort != 0 || r.TCPFlags != 0 || r.FragmentOffset != 185 || r.Proto != 6 {
		t.Errorf("ports %d and %d, flags %d, offset %d, protocol %d", r.SrcPort, r.DstPort, r.TCPFlags, r.FragmentOffset, r.Proto)
	}
}

func TestGoflow2Defect10PortsAreFoundBehindExtensionHeaders(t *testing.T) {
	const hopByHop, destination, authentication = 0, 60, 51
	// An extension header of 8 bytes: the next header, its length in units of 8 bytes
	// beyond those, and a PadN option. That of authentication counts in units of 4.
	extension := func(next uint8) gopacket.Payload { return gopacket.Payload{next, 0, 1, 4, 0, 0, 0, 0} }
	authenticated := gopacket.Payload{6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	segment := gopacket.Payload(serialize(t, tcp()))
	for _, test := range []struct {
		promise string
		packet  []gopacket.SerializableLayer
	}{
		{"hop by hop", []gopacket.SerializableLayer{ipv6(hopByHop), extension(6), segment}},
		{"destination options", []gopacket.SerializableLayer{ipv6(destination), extension(6), segment}},
		{"authentication", []gopacket.SerializableLayer{ipv6(authentication), authenticated, segment}},
		{"all three", []gopacket.SerializableLayer{ipv6(hopByHop), extension(destination), extension(authentication), authenticated, segment}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			frame := append([]gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv6)}, test.packet...)
			hasPorts(t, decodeOne(t, sampled(serializeAsIs(t, frame...))))
		})
	}
}

// serializeAsIs is serialize for headers that gopacket would correct.
func serializeAsIs(t *testing.T, packet ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{}, packet...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGoflow2Defect11EveryKindOfTagIsRead(t *testing.T) {
	const providerBridge, oldQinQ = 0x88a8, 0x9100
	for promise, frame := range map[string][]byte{
		"0x88a8": serialize(t, ethernet(providerBridge), tag(7, 0, layers.EthernetTypeDot1Q), tag(100, 0, layers.EthernetTypeIPv4), ipv4(6), tcp()),
		"0x9100": serialize(t, ethernet(oldQinQ), tag(7, 0, layers.EthernetTypeDot1Q), tag(100, 0, layers.EthernetTypeIPv4), ipv4(6), tcp()),
		"PPPoE": serialize(t, ethernet(layers.EthernetTypePPPoESession), &layers.PPPoE{Version: 1, Type: 1, Code: layers.PPPoECodeSession},
			&layers.PPP{PPPType: layers.PPPTypeIPv4}, ipv4(6), tcp()),
	} {
		t.Run(promise, func(t *testing.T) { hasPorts(t, decodeOne(t, sampled(frame))) })
	}
}

func TestGoflow2Defect11BothPacketsOfATunnelAreKept(t *testing.T) {
	outer := &layers.UDP{SrcPort: 60000, DstPort: 4789}
	r := decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(17), outer, &layers.VXLAN{ValidIDFlag: true, VNI: 5000},
		ethernet(layers.EthernetTypeIPv6), ipv6(6), tcp())))
	if r.SrcAddr.String() != "192.0.2.10" || r.DstPort != 4789 || r.VNI != 5000 || r.SrcAddrEncap.String() != "2001:db8::10" || r.DstPortEncap != 443 {
		t.Errorf("%v to port %d, VNI %d, inner %v to port %d", r.SrcAddr, r.DstPort, r.VNI, r.SrcAddrEncap, r.DstPortEncap)
	}
}

func TestGoflow2Defect12HeadersThatBeginWithIPAreRead(t *testing.T) {
	for promise, record := range map[string][]byte{
		"IPv4": rawHeader(headerIPv4, 1000, serialize(t, ipv4(6), tcp())),
		"IPv6": rawHeader(headerIPv6, 1000, serialize(t, ipv6(6), tcp())),
	} {
		t.Run(promise, func(t *testing.T) {
			r := decodeOne(t, sflow5(flowSample(3, 5, record)))
			hasPorts(t, r)
			if r.Bytes != 1000 {
				t.Errorf("%d bytes, want 1000", r.Bytes)
			}
		})
	}
}

func TestGoflow2Defect12PortsOfACutTCPHeaderAreKept(t *testing.T) {
	frame := serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(6), tcp())
	const link, network = 14, 20
	hasPorts(t, decodeOne(t, sampled(frame[:link+network+4])))
}

func TestGoflow2Defect13UnknownAndBadSamplesCostThemselvesOnly(t *testing.T) {
	good := flowSample(3, 5, rawHeader(headerEthernet, 1000, serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(6), tcp())))
	const vendor = 4413 << 12
	for promise, other := range map[string][]byte{
		"a vendor's sample":   framed(vendor|1, words(1, 2, 3)),
		"a sample cut off":    framed(1, words(1, 3)),
		"a malformed record":  flowSample(3, 5, framed(1, words(headerEthernet, 1000, 0, 5000))),
		"a vendor's record":   flowSample(3, 5, framed(vendor|2, words(1, 2, 3))),
		"a discarded packet":  framed(5, words(1, 0, 3, 0, 0, 0, 0)),
		"a counter of nobody": framed(2, words(1, 3, 1), framed(vendor|3, words(1))),
	} {
		t.Run(promise, func(t *testing.T) {
			flows, _ := decode(sflow5(good, other, good))
			found := 0
			for _, r := range flows {
				if r.SrcPort == 50000 {
					found++
				}
			}
			if found != 2 {
				t.Errorf("%d of 2 good samples were read", found)
			}
		})
	}
}

func TestGoflow2Defect14BytesAreThoseOfTheFrameWhateverFollows(t *testing.T) {
	header := rawHeader(headerEthernet, 1000, serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(6), tcp()))
	summary := framed(3, words(982, 6), address("192.0.2.10"), address("198.51.100.20"), words(50000, 443, 0x10, 0)) // an IPv4 record
	for promise, sample := range map[string][]byte{
		"behind":   flowSample(3, 5, header, summary),
		"in front": flowSample(3, 5, summary, header),
	} {
		if r := decodeOne(t, sflow5(sample)); r.Bytes != 1000 {
			t.Errorf("IPv4 record %s: %d bytes, want 1000", promise, r.Bytes)
		}
	}
}

func TestGoflow2Defect15InterfacesAreNumbersOfInterfaces(t *testing.T) {
	const several, discarded, local = 2<<30 | 4, 1<<30 | 258, 0x3fffffff
	for promise, out := range map[string]uint32{"several": several, "discarded": discarded, "the agent itself": local} {
		if r := decodeOne(t, sflow5(flowSample(3, out, rawHeader(headerEthernet, 1000, nil)))); r.InIf != 3 || r.OutIf != 0 {
			t.Errorf("%s: from interface %d to %d, want from 3 to 0", promise, r.InIf, r.OutIf)
		}
	}
}

func TestAddressesOfTestPacketsAreThoseOfTheDocumentation(t *testing.T) {
	r := decodeOne(t, sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(6), tcp())))
	if r.SrcAddr != netip.MustParseAddr("192.0.2.10") || r.DstAddr != netip.MustParseAddr("198.51.100.20") {
		t.Errorf("%v to %v", r.SrcAddr, r.DstAddr)
	}
}
