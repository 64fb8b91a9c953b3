package conformance

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// The datagrams of tests are put together from the inside out. Their headers say that
// they were exported when they were received.
var received = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const uptime = 3_600_000 // of the exporter, in milliseconds: an hour

// decode returns the flows in datagrams of one exporter, and their problems, joined.
func decode(datagrams ...[]byte) ([]flow.Record, error) {
	c := newCollector(exporter.Config{})
	err := c.decodeEach(datagrams...)
	return c.flows, err
}

func (c *collector) decodeEach(datagrams ...[]byte) error {
	var problems []error
	for _, datagram := range datagrams {
		problems = append(problems, c.decode(datagram, source, received))
	}
	return errors.Join(problems...)
}

// decodeOne returns the only flow in datagrams that are without problems.
func decodeOne(t *testing.T, datagrams ...[]byte) flow.Record {
	t.Helper()
	flows, err := decode(datagrams...)
	if err != nil || len(flows) != 1 {
		t.Fatalf("%d flows and error %v, want one flow and none", len(flows), err)
	}
	return flows[0]
}

// bytesOf returns the counter by which tests tell flows from each other.
func bytesOf(flows []flow.Record) (list []uint64) {
	for _, r := range flows {
		list = append(list, r.Bytes)
	}
	return list
}

func u8(v uint8) []byte   { return []byte{v} }
func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = append(b, u32(v)...)
	}
	return b
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func address(text string) []byte { return netip.MustParseAddr(text).AsSlice() }

// netflow9 is a NetFlow v9 datagram (RFC 3954 section 5.1).
func netflow9(sets ...[]byte) []byte { return netflow9At(uptime, sets...) }

func netflow9At(uptime uint32, sets ...[]byte) []byte {
	return join(u16(9), u16(uint16(len(sets))), words(uptime, uint32(received.Unix()), 1, 0), join(sets...))
}

// ipfix is an IPFIX message (RFC 7011 section 3.1).
func ipfix(sets ...[]byte) []byte {
	body := join(sets...)
	return join(u16(10), u16(uint16(16+len(body))), words(uint32(received.Unix()), 1, 0), body)
}

func set(id uint16, parts ...[]byte) []byte {
	body := join(parts...)
	return join(u16(id), u16(uint16(4+len(body))), body)
}

// Ids of sets.
const (
	templates9       = 0
	optionTemplates9 = 1
	templates10      = 2
)

// element is a field of a template: the number of an information element and a length.
type element struct{ id, length uint16 }

// Information elements that tests use.
var (
	octets     = element{1, 4}
	sourceIPv4 = element{8, 4}
)

func template(id uint16, elements ...element) []byte {
	b := join(u16(id), u16(uint16(len(elements))))
	for _, e := range elements {
		b = join(b, u16(e.id), u16(e.length))
	}
	return b
}

// netflow5 is a NetFlow v5 datagram of as many records as its header counts.
func netflow5(count uint16, records ...[]byte) []byte {
	return join(u16(5), u16(count), words(uptime, uint32(received.Unix()), 0, 1, 0), join(records...))
}

// record5 is a NetFlow v5 record of a flow from first to last.
func record5(first, last uint32) []byte {
	return join(address("192.0.2.10"), address("198.51.100.20"), make([]byte, 8), words(1, 100, first, last), make([]byte, 16))
}

// sflow5 is an sFlow datagram (sFlow version 5 section 5).
func sflow5(samples ...[]byte) []byte {
	return join(words(5, 1), address("192.0.2.1"), words(0, 1, uptime, uint32(len(samples))), join(samples...))
}

// framed is a sample or a record: its format, its length, and what is in it.
func framed(format uint32, parts ...[]byte) []byte {
	body := join(parts...)
	return join(words(format, uint32(len(body))), body)
}

// flowSample is one of interface 3 with a rate of 1000.
func flowSample(in, out uint32, records ...[]byte) []byte {
	return framed(1, words(1, 3, 1000, 0, 0, in, out, uint32(len(records))), join(records...))
}

// Protocols of sampled headers.
const (
	headerEthernet = 1
	headerIPv4     = 11
	headerIPv6     = 12
)

// rawHeader is the record of a packet that begins with header and was length bytes long.
func rawHeader(protocol, length uint32, header []byte) []byte {
	return framed(1, words(protocol, length, 0, uint32(len(header))), header, make([]byte, -len(header)&3))
}

// sampled is a datagram with one sample of a frame of 1000 bytes.
func sampled(frame []byte) []byte {
	return sflow5(flowSample(3, 5, rawHeader(headerEthernet, 1000, frame)))
}

// serialize returns a packet of these layers, lengths and checksums filled in.
func serialize(t *testing.T, packet ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, packet...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ethernet(etype layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: etype}
}

func tag(id uint16, priority uint8, etype layers.EthernetType) *layers.Dot1Q {
	return &layers.Dot1Q{VLANIdentifier: id, Priority: priority, Type: etype}
}

// ipv4 is a packet from 192.0.2.10 to 198.51.100.20.
func ipv4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: net.IP{192, 0, 2, 10}, DstIP: net.IP{198, 51, 100, 20}}
}

// ipv6 is a packet from 2001:db8::10 to 2001:db8::20.
func ipv6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: net.ParseIP("2001:db8::10"), DstIP: net.ParseIP("2001:db8::20")}
}

// tcp is a segment from port 50000 to 443.
func tcp() *layers.TCP { return &layers.TCP{SrcPort: 50000, DstPort: 443, SYN: true} }

// hasPorts fails the test unless r is a flow between the ports of tcp.
func hasPorts(t *testing.T, r flow.Record) {
	t.Helper()
	if !r.SrcAddr.IsValid() || !r.DstAddr.IsValid() || r.Proto != 6 || r.SrcPort != 50000 || r.DstPort != 443 {
		t.Errorf("%v:%d to %v:%d of protocol %d, want TCP from 50000 to 443", r.SrcAddr, r.SrcPort, r.DstAddr, r.DstPort, r.Proto)
	}
}
