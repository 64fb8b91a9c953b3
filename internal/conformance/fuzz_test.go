package conformance

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// FuzzDatagramPath takes datagrams of any protocol from the socket to the bytes of a
// Kafka message, one after the other, as they come from a few exporters: the message has
// to be what was decoded, in the eyes of another implementation of protobuf, and keep
// what FlowMessage promises.
//
// Each datagram is preceded by the last byte of its source address and by its length.
func FuzzDatagramPath(f *testing.F) {
	frame := words(0x02000000, 0x000b0200, 0x0000000a, 0x08004500, 0x00280001, 0x00004006, 0x0000c000, 0x0201c633, 0x6402c350, 0x01bb0000)
	flows := sflow5(flowSample(3, 5, rawHeader(1, 1500, frame), framed(1001, words(10, 0, 20, 0)), framed(1003, words(1, 1, 64500, 1, 2, 1, 2, 1, 9, 0, 0))))
	counters := sflow5(framed(2, words(1, 3, 2), framed(1, make([]byte, 88)), framed(1005, words(4), []byte("\xffeth"))))
	names := ipfix(set(templates10, template(257, element{95, 4}, element{96, 65_535}, octets)), set(257, u32(7), u8(3), []byte("d\xffs"), u32(100)))
	data, known := netflow9(set(256, u32(1500), address("192.0.2.7"))), netflow9(set(templates9, template(256, octets, sourceIPv4)))
	for _, datagrams := range [][][]byte{
		{flows}, {counters, flows}, {netflow5(2, record5(1000, 2000), record5(3000, 4000))}, {names, names}, {data, known, data},
	} {
		var seed []byte
		for i, datagram := range datagrams {
			seed = join(seed, u8(uint8(i/2)), u16(uint16(len(datagram))), datagram)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, datagrams []byte) {
		c := newCollector(exporter.Config{})
		var message []byte
		c.emit = func(r *flow.Record) {
			c.flows = append(c.flows, *r)
			message = encode(t, message, r)
		}
		for len(datagrams) > 3 {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, datagrams[0]}), source.Port())
			end := min(3+int(binary.BigEndian.Uint16(datagrams[1:])), len(datagrams))
			c.decode(datagrams[3:end], from, received)
			datagrams = datagrams[end:]
		}
		checkEncodedFlows(t, message, c.flows)
		var blocks []byte
		for i := range c.counters {
			blocks = encode(t, blocks, &c.counters[i])
		}
		checkEncodedCounters(t, blocks, c.counters)
	})
}

func encode(t *testing.T, b []byte, m flow.Message) []byte {
	encoded := m.AppendDelimited(b)
	if size := len(encoded) - len(b); size > flow.MaxEncodedSize {
		t.Errorf("%+v is encoded to %d bytes", m, size)
	}
	return encoded
}

// messages reads all of a Kafka message into m, and calls check for each.
func messages(t *testing.T, b []byte, m proto.Message, check func(i int)) (n int) {
	r := bytes.NewReader(b)
	for ; ; n++ {
		err := protodelim.UnmarshalFrom(r, m)
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		if unknown := m.ProtoReflect().GetUnknown(); len(unknown) > 0 {
			t.Errorf("message %d has unknown fields: %x", n, unknown)
		}
		check(n)
	}
}

func checkEncodedFlows(t *testing.T, message []byte, flows []flow.Record) {
	m := &pb.FlowMessage{}
	n := messages(t, message, m, func(i int) {
		r := &flows[i]
		if !bytes.Equal(m.SrcAddr, r.SrcAddr.AsSlice()) || !bytes.Equal(m.DstAddr, r.DstAddr.AsSlice()) ||
			!bytes.Equal(m.SamplerAddress, r.SamplerAddress.AsSlice()) || m.Bytes != r.Bytes || m.Packets != r.Packets ||
			m.SamplingRate != r.SamplingRate || m.InIf != r.InIf || m.OutIf != r.OutIf || m.ApplicationName != r.ApplicationName {
			t.Errorf("flow %d is %v, decoded %+v", i, m, r)
		}
		if m.SamplingRate == 0 || m.SamplingRateSource == pb.FlowMessage_RATE_UNSPECIFIED || m.Type == pb.FlowMessage_FLOWUNKNOWN ||
			m.TimeReceived != uint64(received.Unix()) || m.TimeFlowStart > m.TimeFlowEnd || len(m.SamplerAddress) == 0 ||
			m.VlanId > 4095 || m.SrcVlan > 4095 || m.DstVlan > 4095 || m.HasEncap != (len(m.SrcAddrEncap) > 0) {
			t.Errorf("flow %d breaks a promise: %v", i, m)
		}
	})
	if n != len(flows) {
		t.Errorf("%d flows are encoded, %d were decoded", n, len(flows))
	}
}

func checkEncodedCounters(t *testing.T, message []byte, counters []flow.Counters) {
	m := &pb.InterfaceCounters{}
	n := messages(t, message, m, func(i int) {
		if c := &counters[i]; m.Interface != c.Interface || m.InOctets != c.InOctets || m.OutOctets != c.OutOctets || m.Name != c.Name {
			t.Errorf("counters %d are %v, decoded %+v", i, m, c)
		}
	})
	if n != len(counters) {
		t.Errorf("%d blocks of counters are encoded, %d were decoded", n, len(counters))
	}
}
