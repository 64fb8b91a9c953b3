package exporter

import (
	"testing"
	"time"
)

func TestKeptEntriesExpireUnlessRepeatedOrUsed(t *testing.T) {
	const hour = int64(time.Hour)
	l := limits{entries: 10, lifetime: 24 * hour}
	var k kept[string, int]
	for _, key := range []string{"repeated", "used", "neither"} {
		k.set(key, 1, 100, l, 0)
	}
	k.set("repeated", 1, 100, l, 12*hour)
	k.get("used", l, 12*hour)

	for _, step := range []struct {
		name string
		key  string
		at   int64
		want bool
	}{
		{"neither, in time", "neither", 24*hour - 1, true},
		{"that was a use, which counts from then on", "neither", 48*hour - 2, true},
		{"repeated, after its time", "repeated", 36 * hour, false},
		{"used, after its time", "used", 36 * hour, false},
	} {
		if _, ok := k.get(step.key, l, step.at); ok != step.want {
			t.Errorf("%s: is there %v, want %v", step.name, ok, step.want)
		}
	}
	if k.len() != 1 || k.bytes != keptBytes+100 {
		t.Errorf("%d entries of %d bytes are left, want 1 of %d", k.len(), k.bytes, keptBytes+100)
	}
	if n := k.expire(l, 100*hour); n != 1 || k.bytes != keptBytes {
		t.Errorf("%d expired and %d bytes are left, want 1 and %d", n, k.bytes, keptBytes)
	}
}

func TestTemplatesAndRatesOfABusyExporterExpire(t *testing.T) {
	table := NewTable(Config{Lifetime: 24 * time.Hour})
	state := establish(table, spoofed(1), start)
	state.SetTemplate(9, 0, 256, octets(4))
	state.SetTemplate(9, 0, 257, octets(8))
	state.SetRate(9, 0, 1, 1000)
	state.SetApplication(7, "ssh")
	for hour := 1; hour <= 24; hour++ {
		table.Get(spoofed(1), start.Add(time.Duration(hour)*time.Hour)).Template(9, 0, 256)
	}
	if state.Template(9, 0, 256) == nil {
		t.Error("the template that was in use is gone")
	}
	if state.Template(9, 0, 257) != nil {
		t.Error("the template that nobody needed is still there")
	}
	if rate, _ := state.Rate(9, 0, 1, 0); rate != 1 {
		t.Errorf("rate %d, want none", rate)
	}
	if name := state.Application(7); name != "" {
		t.Errorf("application %q, want none", name)
	}
	if len(state.agreed) != 0 {
		t.Errorf("%d rates of domains are still remembered", len(state.agreed))
	}
}
