package exporter

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// spoofed returns the i-th of many addresses.
func spoofed(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	return netip.AddrFrom4(b)
}

// establish lets an exporter send until it is no newcomer, the last time at the given
// time, and returns its state.
func establish(table *Table, address netip.Addr, at time.Time) *State {
	for i := range establishedDatagrams {
		table.Get(address, at.Add(time.Duration(i+1-establishedDatagrams)*time.Second))
	}
	return table.Get(address, at)
}

// size returns how many exporters are known, newcomers included.
func size(table *Table) int {
	table.mu.Lock()
	defer table.mu.Unlock()
	return table.newcomers.states.Len() + table.established.states.Len()
}

// sweep is what a datagram that is received at now does for all exporters.
func sweep(table *Table, now time.Time) {
	table.mu.Lock()
	defer table.mu.Unlock()
	table.sweep(now)
}

func TestExporterIsEstablishedWhenItIsHeardOfInAnotherSecond(t *testing.T) {
	second := time.Second
	for _, test := range []struct {
		name        string
		at          []time.Duration
		established bool
	}{
		{"one datagram", []time.Duration{0}, false},
		{"two a second apart", []time.Duration{0, second}, false},
		{"a burst within one second", []time.Duration{0, 1, 2, 3, 4, 5, 6}, false},
		{"three in two seconds", []time.Duration{0, 1, second}, true},
		{"three a minute apart", []time.Duration{0, 60 * second, 120 * second}, true},
		{"a burst and one more", []time.Duration{0, 1, 2, 3, 4, second}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := NewTable(Config{})
			var state *State
			for _, after := range test.at {
				state = table.Get(spoofed(1), start.Add(after))
			}
			if got := state.segment == &table.established; got != test.established {
				t.Errorf("established is %v, want %v", got, test.established)
			}
			if size(table) != 1 {
				t.Errorf("%d exporters, want 1", size(table))
			}
		})
	}
}

func TestExporterThatIsConfiguredByItsAddressIsNoNewcomer(t *testing.T) {
	table := NewTable(Config{Overrides: overrides(t, `{"192.0.2.1": {}, "198.51.100.0/24": {}}`)})
	if table.Get(netip.MustParseAddr("192.0.2.1"), start).segment != &table.established {
		t.Error("192.0.2.1 is a newcomer, although it is configured")
	}
	if table.Get(netip.MustParseAddr("198.51.100.1"), start).segment != &table.newcomers {
		t.Error("an address is no newcomer because its network is configured")
	}
}

func TestFloodOfForgedAddressesReplacesNewcomersOnly(t *testing.T) {
	table := NewTable(Config{MaxExporters: 100, MaxNewcomers: 50})
	for i := range 100 {
		establish(table, spoofed(i), start).SetTemplate(9, 0, 256, octets(4))
	}
	before := int(testutil.ToFloat64(newcomersCapacity))
	for i := range 10_000 {
		table.Get(spoofed(1000+i), start)
	}
	for i := range 100 {
		if table.Get(spoofed(i), start).Template(9, 0, 256) == nil {
			t.Fatalf("exporter %s has lost its template", spoofed(i))
		}
	}
	if size(table) != 150 {
		t.Errorf("%d exporters are kept, want 100 established ones and 50 newcomers", size(table))
	}
	if evicted := int(testutil.ToFloat64(newcomersCapacity)) - before; evicted != 9_950 {
		t.Errorf("%d evictions were counted, want 9950", evicted)
	}
}

func TestExporterThatIsNewDuringAFloodGetsThrough(t *testing.T) {
	table := NewTable(Config{MaxNewcomers: 1000})
	address := netip.MustParseAddr("192.0.2.1")
	for i := range 10_000 {
		now := start.Add(time.Duration(i) * time.Millisecond)
		table.Get(spoofed(i), now)
		if i%500 == 0 {
			table.Get(address, now).SetTemplate(9, 0, 256, octets(4))
		}
	}
	if state := table.Get(address, start.Add(10*time.Second)); state.segment != &table.established || state.Template(9, 0, 256) == nil {
		t.Error("an exporter that sends twice a second is not established after ten")
	}
}

func TestNewcomersMayNotKeepMuch(t *testing.T) {
	table := NewTable(Config{MaxNewcomerBytes: 64 << 10})
	for i := range 1000 {
		state := table.Get(spoofed(i), start)
		state.SetTemplate(9, 0, 256, NewTemplate(false, 0, make([]Field, 200)))
		state.Hold(9, 0, 257, Held{Received: start, Body: make([]byte, 1000)})
	}
	if table.newcomers.bytes > 64<<10 || table.newcomers.bytes == 0 {
		t.Errorf("newcomers keep %d bytes, want at most %d", table.newcomers.bytes, 64<<10)
	}
	if held := table.heldBytes.Load(); held > 64<<10 {
		t.Errorf("%d bytes of data sets wait, although their exporters were evicted", held)
	}
}

// What is charged to exporters is what they keep, whatever was done in which order.
func TestBytesOfAllExportersAddUp(t *testing.T) {
	table := NewTable(Config{MaxExporters: 10, MaxTemplates: 5, MaxSamplers: 5, MaxStreams: 3})
	for i := range 3000 {
		now := start.Add(time.Duration(i) * 100 * time.Millisecond)
		state := table.Get(spoofed(i%13), now)
		state.SetTemplate(9, 0, uint16(256+i%7), NewTemplate(i%2 == 0, 0, make([]Field, 1+i%11)))
		state.SetRate(9, 0, uint64(i%17), 100)
		state.SetApplication(uint64(i), "name"[:i%5])
		state.Sequence(flow.NetFlow9, uint32(i%5), uint32(i), 1)
		state.Hold(9, 0, uint16(300+i%3), Held{Received: now, Body: make([]byte, i%100)})
		if i%5 == 0 {
			state.RemoveTemplate(9, 0, uint16(256+i%7))
			state.Release(9, 0, 300, now)
		}
		if i%50 == 0 {
			state.RemoveTemplates(9, 0, true)
		}
	}
	held := int64(0)
	for _, g := range []*segment{&table.newcomers, &table.established} {
		want := 0
		for _, s := range g.states.Values() {
			if size := int(s.measure()); s.charged != size {
				t.Errorf("%s: %d bytes are charged, but it keeps %d", s.address, s.charged, size)
			}
			want += s.charged
			held += int64(s.waiting.bytes)
		}
		if g.bytes != want {
			t.Errorf("%d bytes, but the exporters keep %d", g.bytes, want)
		}
	}
	if table.heldBytes.Load() != held {
		t.Errorf("%d bytes wait for templates, but the exporters hold %d", table.heldBytes.Load(), held)
	}
}

func TestLeastRecentlyHeardExporterGoesFirst(t *testing.T) {
	table := NewTable(Config{MaxExporters: 2})
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	establish(table, spoofed(1), at(0)).SetRate(9, 0, 0, 10)
	establish(table, spoofed(2), at(10)).SetRate(9, 0, 0, 20)
	table.Get(spoofed(1), at(20))
	establish(table, spoofed(3), at(30))

	if rate, _ := table.Get(spoofed(1), at(40)).Rate(9, 0, 0, 0); rate != 10 {
		t.Errorf("exporter 1, heard of last, has rate %d, want 10", rate)
	}
	if _, source := table.Get(spoofed(2), at(50)).Rate(9, 0, 0, 0); source != pb.FlowMessage_RATE_UNKNOWN {
		t.Errorf("exporter 2, heard of first, was kept: rate from %v", source)
	}
}

func TestIdleExportersAreForgotten(t *testing.T) {
	table := NewTable(Config{Idle: time.Hour})
	before := int(testutil.ToFloat64(exportersIdle) + testutil.ToFloat64(newcomersIdle))
	establish(table, spoofed(1), start)
	table.Get(spoofed(2), start)
	table.Get(spoofed(3), start.Add(59*time.Minute))
	if size(table) != 3 {
		t.Fatalf("%d exporters before the hour is over, want 3", size(table))
	}
	table.Get(spoofed(3), start.Add(time.Hour))
	if size(table) != 1 {
		t.Errorf("%d exporters after the hour, want the one that was heard of", size(table))
	}
	sweep(table, start.Add(2*time.Hour))
	if size(table) != 0 {
		t.Errorf("%d exporters although nothing was received for an hour, want none", size(table))
	}
	if forgotten := int(testutil.ToFloat64(exportersIdle)+testutil.ToFloat64(newcomersIdle)) - before; forgotten != 3 {
		t.Errorf("%d were counted as idle, want 3", forgotten)
	}
}

func TestMappedAddressIsTheSameExporter(t *testing.T) {
	table := NewTable(Config{})
	if table.Get(netip.MustParseAddr("::ffff:192.0.2.1"), start) != table.Get(netip.MustParseAddr("192.0.2.1"), start) {
		t.Error("::ffff:192.0.2.1 and 192.0.2.1 are two exporters")
	}
}

func TestEvictedStateIsHarmless(t *testing.T) {
	table := NewTable(Config{MaxNewcomers: 1})
	evicted := table.Get(spoofed(1), start)
	table.Get(spoofed(2), start)
	evicted.SetTemplate(9, 0, 256, octets(4))
	if evicted.Template(9, 0, 256) == nil {
		t.Error("who still holds the state cannot use it")
	}
	if evicted.Hold(9, 0, 257, Held{Received: start, Body: []byte{1}}) {
		t.Error("a data set is held that nobody will ever ask for")
	}
	evicted.Received(flow.SFlow, 100)
	if table.newcomers.bytes != stateBytes {
		t.Errorf("the table counts %d bytes, want those of the one that is left, %d", table.newcomers.bytes, stateBytes)
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
