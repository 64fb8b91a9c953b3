package replay

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var captureStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sflowPayload returns a payload that looks like sFlow, of a length of its own.
func sflowPayload(length int) []byte {
	payload := bytes.Repeat([]byte{0xab}, length)
	binary.BigEndian.PutUint32(payload, 5)
	return payload
}

// serialise returns the bytes of a packet.
func serialise(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, parts...); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func ipv4() *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Id: 7, Protocol: layers.IPProtocolUDP,
		SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{192, 0, 2, 2},
	}
}

func ipv6() *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP,
		SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8::2"),
	}
}

func ethernet(etype layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{
		SrcMAC: net.HardwareAddr{0, 0, 0x5e, 0, 0x53, 1}, DstMAC: net.HardwareAddr{0, 0, 0x5e, 0, 0x53, 2},
		EthernetType: etype,
	}
}

// udpOver returns a UDP header whose checksum is over the given IP header.
func udpOver(t testing.TB, ip gopacket.NetworkLayer) *layers.UDP {
	t.Helper()
	udp := &layers.UDP{SrcPort: 50000, DstPort: 6343}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return udp
}

func packetV4(t testing.TB, payload []byte) []byte {
	ip := ipv4()
	return serialise(t, ethernet(layers.EthernetTypeIPv4), ip, udpOver(t, ip), gopacket.Payload(payload))
}

func packetV6(t testing.TB, payload []byte) []byte {
	ip := ipv6()
	return serialise(t, ethernet(layers.EthernetTypeIPv6), ip, udpOver(t, ip), gopacket.Payload(payload))
}

// taggedV4 has an 802.1Q tag.
func taggedV4(t testing.TB, payload []byte) []byte {
	ip := ipv4()
	tag := &layers.Dot1Q{VLANIdentifier: 100, Type: layers.EthernetTypeIPv4}
	return serialise(t, ethernet(layers.EthernetTypeDot1Q), tag, ip, udpOver(t, ip), gopacket.Payload(payload))
}

// rawV6 has no link layer.
func rawV6(t testing.TB, payload []byte) []byte {
	ip := ipv6()
	return serialise(t, ip, udpOver(t, ip), gopacket.Payload(payload))
}

// tcpV4 is something else than a flow export.
func tcpV4(t testing.TB) []byte {
	ip := ipv4()
	ip.Protocol = layers.IPProtocolTCP
	tcp := &layers.TCP{SrcPort: 443, DstPort: 50000, SYN: true}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return serialise(t, ethernet(layers.EthernetTypeIPv4), ip, tcp)
}

// fragmentsV4 returns a datagram in IPv4 fragments of 512 bytes.
func fragmentsV4(t testing.TB, payload []byte) [][]byte {
	whole := serialise(t, udpOver(t, ipv4()), gopacket.Payload(payload))
	var packets [][]byte
	for start := 0; start < len(whole); start += 512 {
		ip := ipv4()
		end := min(start+512, len(whole))
		ip.FragOffset = uint16(start / 8)
		if end < len(whole) {
			ip.Flags = layers.IPv4MoreFragments
		}
		packets = append(packets, serialise(t, ethernet(layers.EthernetTypeIPv4), ip, gopacket.Payload(whole[start:end])))
	}
	return packets
}

// fragmentsV6 is fragmentsV4 with the fragment header of RFC 8200 section 4.5.
func fragmentsV6(t testing.TB, payload []byte) [][]byte {
	whole := serialise(t, udpOver(t, ipv6()), gopacket.Payload(payload))
	var packets [][]byte
	for start := 0; start < len(whole); start += 512 {
		ip := ipv6()
		ip.NextHeader = layers.IPProtocolIPv6Fragment
		end := min(start+512, len(whole))
		header := []byte{byte(layers.IPProtocolUDP), 0, byte(start >> 8), byte(start), 0, 0, 0, 9}
		if end < len(whole) {
			header[3] |= 1
		}
		packets = append(packets, serialise(t, ethernet(layers.EthernetTypeIPv6), ip, gopacket.Payload(append(header, whole[start:end]...))))
	}
	return packets
}

// writePcap writes a pcap file of packets that are a second apart.
func writePcap(t testing.TB, linkType layers.LinkType, packets ...[]byte) string {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(65536, linkType); err != nil {
		t.Fatal(err)
	}
	for i, packet := range packets {
		if err := w.WritePacket(captureInfo(i, packet), packet); err != nil {
			t.Fatal(err)
		}
	}
	return writeFile(t, "capture.pcap", file.Bytes())
}

// captureInfo says that packet i was captured i seconds after the start.
func captureInfo(i int, packet []byte) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{
		Timestamp:     captureStart.Add(time.Duration(i) * time.Second),
		CaptureLength: len(packet), Length: len(packet),
	}
}

func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
