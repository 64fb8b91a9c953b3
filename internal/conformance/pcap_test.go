package conformance

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/leoluk/NetMeta/internal/replay"
)

// exported returns when a datagram says that it was exported; of sFlow, which does not
// say, a fixed time.
func exported(payload []byte) time.Time {
	at := map[replay.Protocol]int{replay.NetFlow5: 8, replay.NetFlow9: 8, replay.IPFIX: 4}[replay.Detect(payload)]
	if at == 0 || len(payload) < at+4 {
		return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	}
	return time.Unix(int64(binary.BigEndian.Uint32(payload[at:])), 0)
}

// writePcap writes datagrams to a pcap file, each in a frame of its own.
func writePcap(t *testing.T, datagrams []datagram) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "exports.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(file)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, d := range datagrams {
		frame := frameOf(t, d)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: exported(d.Payload), CaptureLength: len(frame), Length: len(frame)}, frame); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Ports by which a dissector tells protocols.
const (
	netflowPort = 2055
	sflowPort   = 6343
)

func frameOf(t *testing.T, d datagram) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: d.source.Addr().AsSlice(), DstIP: net.IPv4(192, 0, 2, 2)}
	udp := &layers.UDP{SrcPort: layers.UDPPort(d.source.Port()), DstPort: netflowPort}
	if d.Protocol == replay.SFlow {
		udp.DstPort = sflowPort
	}
	ethernet := &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, ethernet, ip, udp, gopacket.Payload(d.Payload))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
