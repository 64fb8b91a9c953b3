package main

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Lengths in bytes of what is in front of a payload, and of the shortest frame that
// a network card sends, without its check sequence.
const (
	ethernetHeader = 14
	ipv4Header     = 20
	ipv6Header     = 40
	tcpHeader      = 20
	udpHeader      = 8
	icmpHeader     = 8
	shortestFrame  = 60
)

// TCP flags as they are in the header.
const (
	fin, syn, psh, ack = 1, 2, 8, 16
)

// conversation is one direction of the traffic that exporters are shown: what they
// make one flow of.
type conversation struct {
	src, dst netip.AddrPort // ports 0 where the protocol has none
	proto    layers.IPProtocol
	tos      uint8
	icmp     [2]uint8 // type and code
	packets  []sent
}

// sent is one packet of a conversation.
type sent struct {
	at      time.Duration // since the traffic began
	payload int           // bytes
	flags   uint8         // of TCP
}

// ipBytes is the length of a packet from its IP header on.
func (c *conversation) ipBytes(p sent) int {
	length := p.payload + ipv4Header
	if c.src.Addr().Is6() {
		length = p.payload + ipv6Header
	}
	switch c.proto {
	case layers.IPProtocolTCP:
		return length + tcpHeader
	case layers.IPProtocolUDP:
		return length + udpHeader
	}
	return length + icmpHeader
}

// frameBytes is the length of a packet's frame without its check sequence.
func (c *conversation) frameBytes(p sent) int {
	return max(ethernetHeader+c.ipBytes(p), shortestFrame)
}

const trafficTime = 5 * time.Second

// every is n packets of the same size, evenly spread over the seconds that the
// traffic lasts.
func every(n, payload int) (packets []sent) {
	for i := range n {
		packets = append(packets, sent{time.Duration(i) * trafficTime / time.Duration(n), payload, psh | ack})
	}
	return packets
}

// connection is n segments of TCP between an opening and a closing one.
func connection(opening uint8, n, payload int) []sent {
	packets := append([]sent{{0, 0, opening}}, every(n, payload)...)
	return append(packets, sent{trafficTime, 0, fin | ack})
}

// traffic is what every exporter is shown: TCP, UDP and ICMP, both IP versions, both
// directions. Site tells the traffic of one exporter from that of another.
func traffic(site byte) []conversation {
	v4 := func(host byte, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, site, host}), port)
	}
	v6 := func(host byte, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 4: site, 15: host}), port)
	}
	const tcp, udp, icmp, icmp6 = layers.IPProtocolTCP, layers.IPProtocolUDP, layers.IPProtocolICMPv4, layers.IPProtocolICMPv6
	const expedited = 46 << 2 // DSCP EF
	return []conversation{
		{src: v4(1, 40001), dst: v4(2, 443), proto: tcp, packets: connection(syn, 20, 0)},
		{src: v4(2, 443), dst: v4(1, 40001), proto: tcp, packets: connection(syn|ack, 200, 1448)},
		{src: v6(1, 40002), dst: v6(2, 80), proto: tcp, packets: connection(syn, 30, 120)},
		{src: v6(2, 80), dst: v6(1, 40002), proto: tcp, packets: connection(syn|ack, 100, 1200)},
		{src: v4(3, 53001), dst: v4(4, 53), proto: udp, packets: every(7, 33)},
		{src: v4(4, 53), dst: v4(3, 53001), proto: udp, packets: every(7, 400)},
		{src: v4(5, 16384), dst: v4(6, 16386), proto: udp, tos: expedited, packets: every(50, 172)},
		{src: v6(5, 500), dst: v6(6, 4500), proto: udp, packets: every(11, 999)},
		{src: v4(7, 0), dst: v4(8, 0), proto: icmp, icmp: [2]uint8{8, 0}, packets: every(5, 56)},
		{src: v4(8, 0), dst: v4(7, 0), proto: icmp, icmp: [2]uint8{0, 0}, packets: every(5, 56)},
		{src: v4(9, 0), dst: v4(10, 0), proto: icmp, icmp: [2]uint8{3, 13}, packets: every(3, 28)},
		{src: v6(7, 0), dst: v6(8, 0), proto: icmp6, icmp: [2]uint8{128, 0}, packets: every(4, 56)},
		{src: v6(9, 0), dst: v6(10, 0), proto: icmp6, icmp: [2]uint8{1, 4}, packets: every(2, 48)},
	}
}

// filler is recorded behind all other traffic, of no site: pmacctd does not send a
// started sFlow datagram before there are more packets.
var filler = conversation{
	src: netip.MustParseAddrPort("203.0.113.1:9"), dst: netip.MustParseAddrPort("203.0.113.2:9"),
	proto: layers.IPProtocolUDP, packets: slices.Repeat([]sent{{at: trafficTime, payload: 64}}, 16),
}

// record writes the conversations and the filler to a pcap file, as a network card at
// which they began at the given time would see them.
func record(t *testing.T, conversations []conversation, began time.Time) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "traffic.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pcap := pcapgo.NewWriter(file)
	if err := pcap.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	type frame struct {
		at    time.Duration
		bytes []byte
	}
	var frames []frame
	for _, c := range append(conversations, filler) {
		for _, p := range c.packets {
			frames = append(frames, frame{p.at, c.frame(t, p)})
		}
	}
	slices.SortStableFunc(frames, func(a, b frame) int { return cmp.Compare(a.at, b.at) })
	for _, f := range frames {
		info := gopacket.CaptureInfo{Timestamp: began.Add(f.at), CaptureLength: len(f.bytes), Length: len(f.bytes)}
		if err := pcap.WritePacket(info, f.bytes); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// frame is an Ethernet frame with the packet.
func (c *conversation) frame(t *testing.T, p sent) []byte {
	t.Helper()
	ethernet := &layers.Ethernet{
		SrcMAC: []byte{2, 0, 0, 0, 0, c.src.Addr().AsSlice()[c.src.Addr().BitLen()/8-1]},
		DstMAC: []byte{2, 0, 0, 0, 0, c.dst.Addr().AsSlice()[c.dst.Addr().BitLen()/8-1]},
	}
	var ip interface {
		gopacket.SerializableLayer
		gopacket.NetworkLayer
	}
	if c.src.Addr().Is4() {
		ethernet.EthernetType = layers.EthernetTypeIPv4
		ip = &layers.IPv4{Version: 4, TTL: 61, TOS: c.tos, Protocol: c.proto, SrcIP: c.src.Addr().AsSlice(), DstIP: c.dst.Addr().AsSlice()}
	} else {
		ethernet.EthernetType = layers.EthernetTypeIPv6
		ip = &layers.IPv6{Version: 6, HopLimit: 61, TrafficClass: c.tos, NextHeader: c.proto, SrcIP: c.src.Addr().AsSlice(), DstIP: c.dst.Addr().AsSlice()}
	}
	all := append([]gopacket.SerializableLayer{ethernet, ip}, c.transport(t, p, ip)...)
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, append(all, gopacket.Payload(make([]byte, p.payload)))...); err != nil {
		t.Fatal(err)
	}
	return append(buffer.Bytes(), make([]byte, c.frameBytes(p)-len(buffer.Bytes()))...)
}

// transport is the header behind the IP header.
func (c *conversation) transport(t *testing.T, p sent, ip gopacket.NetworkLayer) []gopacket.SerializableLayer {
	t.Helper()
	switch c.proto {
	case layers.IPProtocolTCP:
		tcp := &layers.TCP{
			SrcPort: layers.TCPPort(c.src.Port()), DstPort: layers.TCPPort(c.dst.Port()), Window: 65535,
			FIN: p.flags&fin != 0, SYN: p.flags&syn != 0, PSH: p.flags&psh != 0, ACK: p.flags&ack != 0,
		}
		tcp.SetNetworkLayerForChecksum(ip)
		return []gopacket.SerializableLayer{tcp}
	case layers.IPProtocolUDP:
		udp := &layers.UDP{SrcPort: layers.UDPPort(c.src.Port()), DstPort: layers.UDPPort(c.dst.Port())}
		udp.SetNetworkLayerForChecksum(ip)
		return []gopacket.SerializableLayer{udp}
	case layers.IPProtocolICMPv4:
		return []gopacket.SerializableLayer{&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(c.icmp[0], c.icmp[1])}}
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(c.icmp[0], c.icmp[1])}
	icmp.SetNetworkLayerForChecksum(ip)
	// gopacket's ICMPv6 header ends before the four bytes that depend on the type.
	return []gopacket.SerializableLayer{icmp, gopacket.Payload(make([]byte, 4))}
}
