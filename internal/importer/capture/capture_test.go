package capture_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/capture"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
)

var format = capture.Format(capture.Options{Exporter: netip.MustParseAddr("192.0.2.1"), SamplingRate: 10})

// frame is a TCP segment in Ethernet.
func frame(t testing.TB, payload int) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{198, 51, 100, 1}, DstIP: []byte{203, 0, 113, 1}}
	tcp := &layers.TCP{SrcPort: 50000, DstPort: 443, SYN: true}
	_ = tcp.SetNetworkLayerForChecksum(ip)
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true},
		&layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4},
		ip, tcp, gopacket.Payload(make([]byte, payload)))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func info(b []byte) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Unix(1760129736, 0), CaptureLength: len(b), Length: len(b) + 100}
}

// captures are the same packets in every kind of file.
func captures(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	ethernet := frame(t, 10)
	for name, newWriter := range map[string]func(*bytes.Buffer) *pcapgo.Writer{
		"pcap":             func(b *bytes.Buffer) *pcapgo.Writer { return pcapgo.NewWriter(b) },
		"pcap nanoseconds": func(b *bytes.Buffer) *pcapgo.Writer { return pcapgo.NewWriterNanos(b) },
	} {
		var b bytes.Buffer
		w := newWriter(&b)
		if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
			t.Fatal(err)
		}
		if err := w.WritePacket(info(ethernet), ethernet); err != nil {
			t.Fatal(err)
		}
		files[name] = b.String()
	}
	for name, kind := range map[string]struct {
		link   layers.LinkType
		prefix int
	}{"pcapng": {layers.LinkTypeEthernet, 0}, "pcapng raw": {layers.LinkTypeRaw, 14}} {
		var b bytes.Buffer
		w, err := pcapgo.NewNgWriter(&b, kind.link)
		if err != nil {
			t.Fatal(err)
		}
		packet := ethernet[kind.prefix:]
		i := info(packet)
		i.Length = len(ethernet) + 100
		if err := w.WritePacket(i, packet); err != nil {
			t.Fatal(err)
		}
		_ = w.Flush()
		files[name] = b.String()
	}
	return files
}

func TestEveryPacketIsAFlow(t *testing.T) {
	for name, content := range captures(t) {
		t.Run(name, func(t *testing.T) {
			flows, report := importertest.Decode(t, format, content)
			if len(flows) != 1 || len(report.Skipped) != 0 {
				t.Fatalf("%d flows, %v", len(flows), report.Skipped)
			}
			flows[0].Want(t, fmt.Sprintf("Type=PCAP SrcAddr=198.51.100.1 DstAddr=203.0.113.1 SrcPort=50000 DstPort=443 Proto=6 TCPFlags=2 Etype=2048 Bytes=%d Packets=1 SamplingRate=10 SamplerAddress=192.0.2.1 TimeReceived=1760129736", len(frame(t, 10))+100))
		})
	}
}

func TestDamagedCapturesAreNamed(t *testing.T) {
	dir := t.TempDir()
	for want, content := range map[string]string{
		"it is no capture": "this is a text file",
		"is damaged":       captures(t)["pcap"] + strings.Repeat("\xff", 40),
	} {
		path := filepath.Join(dir, "x.pcap")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := importer.Run(t.Context(), importer.Config{Format: format, Files: []string{path}, Sink: importertest.Nowhere{}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, content := range captures(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "x.pcap")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = importer.Run(t.Context(), importer.Config{Format: format, Files: []string{path}, Sink: importertest.Nowhere{}})
	})
}

func BenchmarkDecode(b *testing.B) {
	const packets = 10_000
	one := captures(b)["pcap"]
	content := one + strings.Repeat(one[24:], packets-1)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += packets {
		if r := importertest.Run(b, format, content); r.Sent != packets {
			b.Fatal(r.Sent)
		}
	}
}
