package exporter

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/pb"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// spoofed returns the i-th of many addresses.
func spoofed(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(i))))
}

func TestAMillionSpoofedAddressesStayWithinTheBounds(t *testing.T) {
	const addresses = 1_000_000
	table := NewTable(Config{MaxExporters: 4096, MaxBytes: 128 << 10})
	evicted := int(testutil.ToFloat64(exportersCapacity)) + int(testutil.ToFloat64(exportersBytes))
	template := NewTemplate(false, 0, make([]Field, 30))
	for i := range addresses {
		state := table.Get(spoofed(i), start)
		if i%8 == 0 {
			state.SetTemplate(9, 0, 256, template)
			state.SetRate(9, 0, 1, 1000)
		}
	}
	if table.states.Len() > 4096 || table.states.Len() == 0 {
		t.Errorf("%d exporters are kept, want at most 4096", table.states.Len())
	}
	if table.bytes > 128<<10 || table.bytes == 0 {
		t.Errorf("their templates and rates take %d bytes, want at most %d", table.bytes, 128<<10)
	}
	evicted = int(testutil.ToFloat64(exportersCapacity)) + int(testutil.ToFloat64(exportersBytes)) - evicted
	if want := addresses - table.states.Len(); evicted != want {
		t.Errorf("%d evictions were counted, want %d", evicted, want)
	}
}

func TestBytesOfAllExportersAddUp(t *testing.T) {
	table := NewTable(Config{MaxExporters: 10, MaxTemplates: 5, MaxSamplers: 5})
	for i := range 1000 {
		state := table.Get(spoofed(i%13), start)
		state.SetTemplate(9, 0, uint16(256+i%7), NewTemplate(i%2 == 0, 0, make([]Field, 1+i%11)))
		state.SetRate(9, 0, uint64(i%17), 100)
		if i%5 == 0 {
			state.RemoveTemplate(9, 0, uint16(256+i%7))
		}
		if i%50 == 0 {
			state.RemoveTemplates(9, 0, true)
		}
	}
	want := 0
	for _, address := range table.states.Keys() {
		s, _ := table.states.Peek(address)
		size := s.size + samplerBytes*s.rates.Len()
		if s.bytes != size {
			t.Errorf("%s: %d bytes, but its templates and rates take %d", address, s.bytes, size)
		}
		want += size
	}
	if table.bytes != want {
		t.Errorf("%d bytes, but the exporters take %d", table.bytes, want)
	}
}

func TestLeastRecentlyHeardExporterGoesFirst(t *testing.T) {
	table := NewTable(Config{MaxExporters: 2})
	table.Get(spoofed(1), start).SetRate(9, 0, 0, 10)
	table.Get(spoofed(2), start.Add(time.Second)).SetRate(9, 0, 0, 20)
	table.Get(spoofed(1), start.Add(2*time.Second))
	table.Get(spoofed(3), start.Add(3*time.Second))

	if rate, _ := table.Get(spoofed(1), start.Add(4*time.Second)).Rate(9, 0, 0, 0); rate != 10 {
		t.Errorf("exporter 1, heard of last, has rate %d, want 10", rate)
	}
	if _, source := table.Get(spoofed(2), start.Add(5*time.Second)).Rate(9, 0, 0, 0); source != pb.FlowMessage_RATE_UNKNOWN {
		t.Errorf("exporter 2, heard of first, was kept: rate from %v", source)
	}
}

func TestIdleExportersAreForgotten(t *testing.T) {
	table := NewTable(Config{Idle: time.Hour})
	before := int(testutil.ToFloat64(exportersIdle))
	table.Get(spoofed(1), start)
	table.Get(spoofed(2), start)
	table.Get(spoofed(3), start.Add(59*time.Minute))
	if table.states.Len() != 3 {
		t.Fatalf("%d exporters before the hour is over, want 3", table.states.Len())
	}
	table.Get(spoofed(3), start.Add(time.Hour))
	if table.states.Len() != 1 {
		t.Errorf("%d exporters after the hour, want the one that was heard of", table.states.Len())
	}
	if forgotten := int(testutil.ToFloat64(exportersIdle)) - before; forgotten != 2 {
		t.Errorf("%d were counted as idle, want 2", forgotten)
	}
}

func TestMappedAddressIsTheSameExporter(t *testing.T) {
	table := NewTable(Config{})
	if table.Get(netip.MustParseAddr("::ffff:192.0.2.1"), start) != table.Get(netip.MustParseAddr("192.0.2.1"), start) {
		t.Error("::ffff:192.0.2.1 and 192.0.2.1 are two exporters")
	}
}

func TestEvictedStateIsHarmless(t *testing.T) {
	table := NewTable(Config{MaxExporters: 1})
	evicted := table.Get(spoofed(1), start)
	table.Get(spoofed(2), start)
	evicted.SetTemplate(9, 0, 256, NewTemplate(false, 0, []Field{{ID: 1, Length: 4}}))
	if evicted.Template(9, 0, 256) == nil {
		t.Error("who still holds the state cannot use it")
	}
	if table.bytes != 0 {
		t.Errorf("the table counts %d bytes of a state that it has given up", table.bytes)
	}
}

// The race detector is what judges here.
func TestTableIsSafeForManySockets(t *testing.T) {
	table := NewTable(Config{MaxExporters: 8, MaxTemplates: 4, MaxSamplers: 4, MaxBytes: 8 << 10})
	var sockets sync.WaitGroup
	for socket := range 4 {
		sockets.Go(func() {
			for i := range 2000 {
				state := table.Get(spoofed(i*(socket+1)%16), start.Add(time.Duration(i)*time.Second))
				state.SetTemplate(9, 0, uint16(i%8), NewTemplate(false, 0, make([]Field, 1+i%4)))
				state.Template(9, 0, uint16(i%8))
				state.SetRate(9, 0, uint64(i%8), uint64(i))
				state.Rate(9, 0, 0, 0)
				state.RemoveTemplate(9, 0, uint16(i%3))
			}
		})
	}
	sockets.Wait()
	if table.states.Len() > 8 || table.bytes > 8<<10 {
		t.Errorf("%d exporters and %d bytes, want at most 8 and %d", table.states.Len(), table.bytes, 8<<10)
	}
}

func TestNegativeBoundsAreAMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewTable(Config{MaxTemplates: -1})
}

func BenchmarkGet(b *testing.B) {
	table := NewTable(Config{})
	for i := range 1000 {
		table.Get(spoofed(i), start)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		table.Get(spoofed(i%1000), start)
	}
}
