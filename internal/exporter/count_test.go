package exporter

import (
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestStreamsOfOneExporterCountOnTheirOwn(t *testing.T) {
	state := establish(NewTable(Config{}), spoofed(1), start)
	for i := range uint32(10) {
		state.Sequence(flow.SFlow, 1, i, 1)
		state.Sequence(flow.SFlow, 2, 500+i, 1)
		state.Sequence(flow.NetFlow9, 1, 7000+i, 1)
		state.Sequence(flow.IPFIX, 1, 20*i, 10) // every other message of 10 records is missing
	}
	for _, p := range flow.Protocols {
		want := uint64(0)
		if p == flow.IPFIX {
			want = 90
		}
		c := state.counters.Load().of(p)
		if c.lost.Load() != want || c.late.Load() != 0 || c.duplicates.Load() != 0 || c.restarts.Load() != 0 {
			t.Errorf("%s: %d lost, %d late, %d duplicates, %d restarts; want %d lost", p, c.lost.Load(), c.late.Load(), c.duplicates.Load(), c.restarts.Load(), want)
		}
	}
}

func TestStreamsOfOneExporterAreBounded(t *testing.T) {
	state := NewTable(Config{MaxStreams: 10}).Get(spoofed(1), start)
	before := int(testutil.ToFloat64(streamsCapacity))
	for i := range uint32(1000) {
		state.Sequence(flow.IPFIX, i, 1, 1)
	}
	if n := state.streams.len(); n != 10 {
		t.Errorf("%d streams are followed, want 10", n)
	}
	if evicted := int(testutil.ToFloat64(streamsCapacity)) - before; evicted != 990 {
		t.Errorf("%d evictions were counted, want 990", evicted)
	}
}

func TestDatagramsAndRecordsOfAKnownExporterAllocateNothing(t *testing.T) {
	table := NewTable(Config{Overrides: overrides(t, `{"0.0.0.1": {"maxFlowsPerSecond": 10}}`)})
	exercise(establish(table, spoofed(1), start), 1, start)
	sequence := uint32(0)
	allocations := testing.AllocsPerRun(1000, func() {
		sequence += 2 // there are gaps too
		state := table.Get(spoofed(1), start)
		state.Received(flow.NetFlow9, 1400)
		state.Template(9, 0, 256)
		state.Release(9, 0, 256, start)
		state.Rate(9, 0, 0, 0)
		state.Boot(1)
		state.Application(1)
		state.Keep(start)
		state.Sequence(flow.NetFlow9, 1, sequence, 1)
		state.AddRecords(flow.NetFlow9, 1, 1)
	})
	if allocations != 0 {
		t.Errorf("%.2f allocations a datagram, want none", allocations)
	}
}

func BenchmarkDatagram(b *testing.B) {
	table := NewTable(Config{})
	for i := range 1000 {
		exercise(establish(table, spoofed(i), start), 1, start)
	}
	datagram := func(i int) {
		state := table.Get(spoofed(i%1000), start)
		state.Received(flow.NetFlow9, 1400)
		state.Sequence(flow.NetFlow9, 1, uint32(i/1000), 1)
		state.AddRecords(flow.NetFlow9, 30, 0)
	}
	b.Run("one socket", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			datagram(i)
		}
	})
	b.Run("a socket for each processor", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := rand.IntN(1000); pb.Next(); i++ {
				datagram(i)
			}
		})
	})
}

func BenchmarkKeep(b *testing.B) {
	for _, test := range []struct{ name, override string }{
		{"without a limit", `{}`},
		{"with a limit", `{"maxFlowsPerSecond": 1000}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			table := NewTable(Config{Overrides: overrides(b, `{"0.0.0.1": `+test.override+`}`)})
			state := table.Get(spoofed(1), start)
			b.ReportAllocs()
			for b.Loop() {
				state.Keep(start)
			}
		})
	}
}
