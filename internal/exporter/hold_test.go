package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
)

// bodies returns what was held, in order.
func bodies(released []Held) string {
	text := ""
	for _, h := range released {
		text += string(h.Body)
	}
	return text
}

func held(after time.Duration, body string) Held {
	return Held{Received: start.Add(after), Body: []byte(body)}
}

func TestSetsAreHeldUntilTheirTemplateComes(t *testing.T) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	first := held(0, "a")
	first.Exported, first.Uptime, first.Sequence = 1, 2, 3
	for _, h := range []struct {
		version uint16
		domain  uint32
		id      uint16
		Held
	}{
		{9, 1, 256, first}, {9, 1, 257, held(0, "x")}, {9, 2, 256, held(0, "y")}, {10, 1, 256, held(0, "z")}, {9, 1, 256, held(1, "b")},
	} {
		if !state.Hold(h.version, h.domain, h.id, h.Held) {
			t.Fatalf("set %s is not held", h.Body)
		}
	}
	first.Body[0] = '?' // the datagram's buffer is used again

	released := state.Release(9, 1, 256, start)
	if bodies(released) != "ab" {
		t.Fatalf("released %q, want ab: the sets of that template, the oldest first", bodies(released))
	}
	if h := released[0]; h.Exported != 1 || h.Uptime != 2 || h.Sequence != 3 || !h.Received.Equal(start) {
		t.Errorf("released %+v, want what its datagram said", h)
	}
	if again := state.Release(9, 1, 256, start); len(again) != 0 {
		t.Errorf("released %q again", bodies(again))
	}
	if rest := bodies(state.Release(9, 1, 257, start)) + bodies(state.Release(9, 2, 256, start)) + bodies(state.Release(10, 1, 256, start)); rest != "xyz" {
		t.Errorf("of the others %q is left, want xyz", rest)
	}
}

func TestSetsThatWaitedTooLongAreNotReleased(t *testing.T) {
	table := NewTable(Config{TemplateWait: time.Minute})
	state := table.Get(spoofed(1), start)
	before := testutil.ToFloat64(heldExpired)
	state.Hold(9, 0, 256, held(0, "a"))
	state.Hold(9, 0, 256, held(time.Second, "b"))
	if released := bodies(state.Release(9, 0, 256, start.Add(time.Minute))); released != "b" {
		t.Errorf("released %q, want b alone", released)
	}
	if expired := testutil.ToFloat64(heldExpired) - before; expired != 1 {
		t.Errorf("%.0f counted as expired, want 1", expired)
	}
}

func TestSetsExpireWhileNothingIsReceived(t *testing.T) {
	table := NewTable(Config{TemplateWait: time.Minute})
	before := testutil.ToFloat64(heldNow)
	table.Get(spoofed(1), start).Hold(9, 0, 256, held(0, "a"))
	table.Get(spoofed(2), start).Hold(9, 0, 256, held(0, "b"))
	sweep(table, start.Add(59*time.Second))
	if n := testutil.ToFloat64(heldNow) - before; n != 2 {
		t.Fatalf("%.0f sets wait before the minute is over, want 2", n)
	}
	table.Get(spoofed(3), start.Add(time.Minute)) // a datagram of somebody else is enough
	if n := testutil.ToFloat64(heldNow) - before; n != 0 {
		t.Errorf("%.0f sets wait after the minute, want none", n)
	}
	if table.heldBytes.Load() != 0 || len(table.holding) != 0 {
		t.Errorf("%d bytes of %d exporters are still accounted for", table.heldBytes.Load(), len(table.holding))
	}
}

func TestHeldSetsAreBounded(t *testing.T) {
	const body = 1000
	for _, test := range []struct {
		name      string
		exporters int
		config    Config
		most      int
	}{
		{"of one exporter", 1, Config{}, maxHeldBytes},
		{"of all", 100, Config{MaxHeld: 1 << 20}, 1 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := NewTable(test.config)
			refused := testutil.ToFloat64(heldRefused)
			kept := 0
			for i := range 5000 {
				if table.Get(spoofed(i%test.exporters), start).Hold(9, 0, 256, Held{Received: start, Body: make([]byte, body)}) {
					kept++
				}
			}
			if want := test.most / (body + heldOverhead); kept != want {
				t.Errorf("%d sets are held, want %d", kept, want)
			}
			if n := int(testutil.ToFloat64(heldRefused) - refused); n != 5000-kept {
				t.Errorf("%d counted as refused, want %d", n, 5000-kept)
			}
			// What was released makes room.
			table.Get(spoofed(0), start).Release(9, 0, 256, start)
			if !table.Get(spoofed(0), start).Hold(9, 0, 256, held(0, "a")) {
				t.Error("nothing can be held after what was held has been released")
			}
		})
	}
}

func TestHeldSetsOfAForgottenExporterAreCounted(t *testing.T) {
	table := NewTable(Config{Idle: time.Hour, TemplateWait: 24 * time.Hour})
	table.Get(spoofed(1), start).Hold(9, 0, 256, held(0, "a"))
	before := testutil.ToFloat64(heldEvicted)
	sweep(table, start.Add(time.Hour))
	if n := testutil.ToFloat64(heldEvicted) - before; n != 1 {
		t.Errorf("%.0f counted as evicted, want 1", n)
	}
}

func TestHeldSetsOfACollectorThatEndsAreCounted(t *testing.T) {
	table := NewTable(Config{TemplateWait: time.Hour})
	table.Get(spoofed(1), start).Hold(9, 0, 256, held(0, "a"))
	table.Get(spoofed(2), start).Hold(9, 0, 256, held(0, "b"))
	before, waiting := testutil.ToFloat64(heldStopped), testutil.ToFloat64(heldNow)
	table.DropHeld()
	if n := testutil.ToFloat64(heldStopped) - before; n != 2 {
		t.Errorf("%.0f counted as stopped, want 2", n)
	}
	if n := waiting - testutil.ToFloat64(heldNow); n != 2 {
		t.Errorf("%.0f fewer wait than before, want 2", n)
	}
	if released := table.Get(spoofed(1), start).Release(9, 0, 256, start); len(released) != 0 {
		t.Errorf("released %q after that", bodies(released))
	}
}

func TestEveryMissingTemplateIsAMissOfTheExporter(t *testing.T) {
	table := NewTable(Config{MaxHeld: heldOverhead + 1})
	state := establish(table, spoofed(1), start)
	for range 3 {
		state.Hold(10, 0, 256, held(0, "a")) // there is room for one
	}
	if n := state.counters.Load().of(flow.IPFIX).templateMisses.Load(); n != 3 {
		t.Errorf("%d misses are counted, want 3", n)
	}
}

func BenchmarkReleaseNothing(b *testing.B) {
	for _, others := range []int{0, 100} {
		b.Run(fmt.Sprintf("while %d others wait", others), func(b *testing.B) {
			state := NewTable(Config{}).Get(spoofed(1), start)
			for range others {
				state.Hold(9, 0, 257, held(0, "x"))
			}
			b.ReportAllocs()
			for b.Loop() {
				state.Release(9, 0, 256, start)
			}
		})
	}
}
