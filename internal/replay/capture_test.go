package replay

import (
	"bytes"
	"compress/gzip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// read returns the datagrams of a capture and the error that ends them.
func read(path string) (datagrams []Datagram, err error) {
	for d, failed := range Datagrams(path) {
		if failed != nil {
			return datagrams, failed
		}
		datagrams = append(datagrams, d)
	}
	return datagrams, nil
}

func TestCapturesAreStrippedToTheUDPPayload(t *testing.T) {
	payload := sflowPayload(100)
	long := sflowPayload(1800)
	reversed := func(packets [][]byte) [][]byte { slices.Reverse(packets); return packets }
	tests := []struct {
		name    string
		link    layers.LinkType
		packets [][]byte
		want    [][]byte
	}{
		{"IPv4", layers.LinkTypeEthernet, [][]byte{packetV4(t, payload)}, [][]byte{payload}},
		{"IPv6", layers.LinkTypeEthernet, [][]byte{packetV6(t, payload)}, [][]byte{payload}},
		{"a VLAN tag", layers.LinkTypeEthernet, [][]byte{taggedV4(t, payload)}, [][]byte{payload}},
		{"no link layer", layers.LinkTypeRaw, [][]byte{rawV6(t, payload)}, [][]byte{payload}},
		{"Ethernet padding is not payload", layers.LinkTypeEthernet, [][]byte{append(packetV4(t, payload[:8]), make([]byte, 20)...)}, [][]byte{payload[:8]}},
		{"other protocols are left out", layers.LinkTypeEthernet, [][]byte{tcpV4(t), packetV4(t, payload)}, [][]byte{payload}},
		{"IPv4 fragments", layers.LinkTypeEthernet, fragmentsV4(t, long), [][]byte{long}},
		{"IPv4 fragments in the wrong order", layers.LinkTypeEthernet, reversed(fragmentsV4(t, long)), [][]byte{long}},
		{"IPv6 fragments", layers.LinkTypeEthernet, fragmentsV6(t, long), [][]byte{long}},
		{"a missing fragment costs only its datagram", layers.LinkTypeEthernet, append(fragmentsV4(t, long)[1:], packetV4(t, payload)), [][]byte{payload}},
		{"a packet that is not one", layers.LinkTypeEthernet, [][]byte{{1, 2, 3}, packetV4(t, payload)}, [][]byte{payload}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			datagrams, err := read(writePcap(t, test.link, test.packets...))
			if err != nil {
				t.Fatal(err)
			}
			if len(datagrams) != len(test.want) {
				t.Fatalf("%d datagrams, want %d", len(datagrams), len(test.want))
			}
			for i, d := range datagrams {
				if !bytes.Equal(d.Payload, test.want[i]) {
					t.Errorf("payload of %d bytes % .20x..., want %d bytes", len(d.Payload), d.Payload, len(test.want[i]))
				}
				if d.Protocol != SFlow {
					t.Errorf("protocol %s, want sflow", d.Protocol)
				}
			}
		})
	}
}

func TestDatagramsCarryTheTimeOfCapture(t *testing.T) {
	packet := packetV4(t, sflowPayload(20))
	datagrams, err := read(writePcap(t, layers.LinkTypeEthernet, packet, packet))
	if err != nil || len(datagrams) != 2 {
		t.Fatalf("%d datagrams, error %v", len(datagrams), err)
	}
	if at := datagrams[1].Time; !at.Equal(captureStart.Add(time.Second)) {
		t.Errorf("second datagram was captured at %s, want a second after %s", at, captureStart)
	}
}

func TestPcapngInterfacesHaveTheirOwnLinkTypes(t *testing.T) {
	var file bytes.Buffer
	w, err := pcapgo.NewNgWriter(&file, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.AddInterface(pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw, SnapLength: 65536})
	if err != nil {
		t.Fatal(err)
	}
	for i, packet := range [][]byte{packetV4(t, sflowPayload(40)), rawV6(t, sflowPayload(50))} {
		info := captureInfo(i, packet)
		info.InterfaceIndex = i * raw
		if err := w.WritePacket(info, packet); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	datagrams, err := read(writeFile(t, "capture.pcapng", file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if len(datagrams) != 2 || len(datagrams[0].Payload) != 40 || len(datagrams[1].Payload) != 50 {
		t.Errorf("datagrams %+v, want one of 40 and one of 50 bytes", datagrams)
	}
}

func TestCompressedPcapIsRead(t *testing.T) {
	plain, err := os.ReadFile(writePcap(t, layers.LinkTypeEthernet, packetV4(t, sflowPayload(30))))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	datagrams, err := read(writeFile(t, "capture.pcap.gz", file.Bytes()))
	if err != nil || len(datagrams) != 1 {
		t.Errorf("%d datagrams, error %v, want one", len(datagrams), err)
	}
}

func TestBrokenFilesGiveWhatTheyHave(t *testing.T) {
	packet := packetV4(t, sflowPayload(100))
	whole, err := os.ReadFile(writePcap(t, layers.LinkTypeEthernet, packet, packet))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		content []byte
		want    int    // datagrams
		says    string // in the error
	}{
		{"a pcap that ends in the middle of a packet", whole[:len(whole)-10], 1, "read packet 2 of"},
		{"a pcap that ends in the middle of a packet's header", whole[:len(whole)-len(packet)-3], 1, "read packet 2 of"},
		{"a pcap without packets", whole[:24], 0, ""},
		{"a pcap that ends in its header", whole[:20], 0, "read "},
		{"a pcapng that ends in its header", append(bytes.Clone(pcapngMagic), 1, 2), 0, "read "},
		{"an empty file", nil, 0, "read "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, "capture", test.content)
			datagrams, err := read(path)
			if len(datagrams) != test.want {
				t.Errorf("%d datagrams, want %d", len(datagrams), test.want)
			}
			if (err != nil) != (test.says != "") {
				t.Fatalf("error %v, want one that says %q", err, test.says)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path)) {
				t.Errorf("error %q, want %q and the path", err, test.says)
			}
		})
	}
}
