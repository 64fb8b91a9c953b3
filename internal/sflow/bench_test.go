package sflow_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// realistic is a datagram as switches with a BGP table send it: five expanded flow
// samples, each with 128 bytes of a TCP packet, its VLANs and its route.
func realistic() []byte {
	frame := unhex("02000000000b 02000000000a 8100001e 0800" + ipv4Hex + tcpHex)
	records := [][]byte{
		framed(1001, words(30, 0, 30, 0)),
		framed(1002, words(1, 0xc6336402, 24, 16)),
		framed(1003, words(1, 0xc6336402, 64500, 64496, 64497, 1, 2, 4, 64501, 64502, 64503, 64504, 3, 64501<<16|1, 64501<<16|2, 64502<<16|3, 100)),
		rawHeader(1, 1514, join(frame, make([]byte, 128-len(frame)))),
	}
	var samples [][]byte
	for port := range uint32(5) {
		samples = append(samples, expanded{0, 1000000 + port, 0, 1000000 + port, 0, 1000007}.bytes(records...))
	}
	return datagramOf(samples...)
}

// badRecords is a datagram of samples whose records are all too short.
func badRecords() []byte {
	return datagramOf(repeat(5, sampleOf(framed(1), framed(2), framed(3), framed(1001), framed(1002), framed(1003)))...)
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name     string
		datagram []byte
	}{
		{"header, switch, router, gateway", realistic()},
		{"header", datagramOf(repeat(5, sampleOf(rawHeader(1, 1518, tcpFrame)))...)},
		{"IPv4 record", datagramOf(repeat(5, sampleOf(ipv4Record))...)},
		{"record errors", badRecords()},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmark(b, bench.datagram, func(*flow.Record) {}) })
	}
}

// BenchmarkDecodeAndEncode is what the collector does with a datagram but for system
// calls.
func BenchmarkDecodeAndEncode(b *testing.B) {
	buffer := make([]byte, 0, flow.MaxEncodedSize)
	encode := func(r *flow.Record) { buffer = r.AppendDelimited(buffer[:0]) }
	b.Run("synthetic", func(b *testing.B) { benchmark(b, realistic(), encode) })
	b.Run("captured", func(b *testing.B) {
		datagram, err := os.ReadFile(filepath.Join(capturetest.Dir(b), "goflow2", "extracted", "sflow_test.TestExpandedSFlowDecode.data.bin"))
		if err != nil {
			b.Fatal(err)
		}
		benchmark(b, datagram, encode)
	})
}

func benchmark(b *testing.B, datagram []byte, emit func(*flow.Record)) {
	flows := 0
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) { flows++; emit(r) }, nil)
	b.ReportAllocs()
	for b.Loop() {
		_ = d.Decode(datagram, source, received)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(flows), "ns/flow")
}

func repeat(n int, sample []byte) (samples [][]byte) {
	for range n {
		samples = append(samples, sample)
	}
	return samples
}
