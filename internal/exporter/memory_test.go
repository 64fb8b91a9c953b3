package exporter

import (
	"runtime"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// A datagram from a forged address may say whatever an exporter can say.
func TestAMillionForgedAddressesTakeLessThan64MiB(t *testing.T) {
	const most = 64 << 20
	body := make([]byte, 1400)
	says := []struct {
		name string
		say  func(s *State, i int)
	}{
		{"nothing of interest", func(*State, int) {}},
		{"a sequence number", func(s *State, i int) { s.Sequence(flow.SFlow, 0, uint32(i), 1) }},
		{"a template", func(s *State, i int) { s.SetTemplate(9, 0, 256, NewTemplate(false, 0, make([]Field, 100))) }},
		{"records without template", func(s *State, i int) { s.Hold(9, 0, 256, Held{Received: start, Body: body}) }},
		{"rates and names", func(s *State, i int) {
			s.SetRate(9, 0, uint64(i), 1000)
			s.Rate(9, 0, 0, 0)
			s.SetBoot(0, 1000)
			s.SetApplication(uint64(i), "an application with a long name")
		}},
	}
	run := func(name string, addresses int, say func(s *State, i int)) {
		t.Run(name, func(t *testing.T) {
			before := heap()
			table := NewTable(Config{})
			for i := range addresses {
				s := table.Get(spoofed(i), start.Add(time.Duration(i)*10*time.Microsecond))
				s.Received(flow.NetFlow9, 1440)
				say(s, i)
			}
			grown := heap() - before
			t.Logf("%d exporters are kept in %.1f MiB", size(table), float64(grown)/(1<<20))
			if grown > most {
				t.Errorf("%d bytes were added, want less than %d", grown, most)
			}
			runtime.KeepAlive(table)
		})
	}
	run("everything in turn", 1_000_000, func(s *State, i int) { says[i%len(says)].say(s, i) })
	for _, what := range says {
		run(what.name, 20_000, what.say)
	}
}

// heap returns the bytes that are in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
