package exporter

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/pb"
)

func TestRateIsTheMostSpecific(t *testing.T) {
	const (
		options    = pb.FlowMessage_RATE_OPTIONS
		configured = pb.FlowMessage_RATE_CONFIGURED
		unknown    = pb.FlowMessage_RATE_UNKNOWN
	)
	type said struct {
		sampler, rate uint64
	}
	for name, test := range map[string]struct {
		said    []said
		initial uint64
		sampler uint64
		rate    uint64
		source  pb.FlowMessage_RateSource
	}{
		"nobody said anything":                   {nil, 0, 0, 1, unknown},
		"the configuration did":                  {nil, 50, 0, 50, configured},
		"the domain's":                           {[]said{{0, 100}}, 50, 0, 100, options},
		"the sampler's before the domain's":      {[]said{{0, 100}, {3, 300}}, 50, 3, 300, options},
		"the domain's for an unknown sampler":    {[]said{{0, 100}, {3, 300}}, 50, 4, 100, options},
		"the configured for an unknown sampler":  {[]said{{3, 300}}, 50, 4, 50, configured},
		"none for an unknown sampler":            {[]said{{3, 300}}, 0, 4, 1, unknown},
		"the only sampler's where none is named": {[]said{{3, 300}}, 50, 0, 300, options},
		"what all samplers have in common":       {[]said{{3, 300}, {4, 300}}, 50, 0, 300, options},
		"nothing that they disagree about":       {[]said{{3, 300}, {4, 400}}, 50, 0, 50, configured},
		"a later one in place of an earlier":     {[]said{{3, 300}, {3, 400}}, 50, 3, 400, options},
		"a change by all samplers in turn":       {[]said{{3, 300}, {4, 300}, {3, 400}, {4, 400}}, 50, 0, 400, options},
		"0 is no rate":                           {[]said{{3, 300}, {3, 0}}, 50, 3, 300, options},
	} {
		t.Run(name, func(t *testing.T) {
			state := NewTable(Config{DefaultRate: test.initial}).Get(spoofed(1), start)
			for _, s := range test.said {
				state.SetRate(9, 1, s.sampler, s.rate)
				state.Rate(9, 1, 0, 0) // must not keep what it finds longer than it is true
			}
			rate, source := state.Rate(9, 1, test.sampler, 0)
			if rate != test.rate || source != test.source {
				t.Errorf("rate %d from %v, want %d from %v", rate, source, test.rate, test.source)
			}
			if _, source := state.Rate(10, 1, 3, 0); source == options {
				t.Error("another version has it too")
			}
			if _, source := state.Rate(9, 2, 3, 0); source == options {
				t.Error("another domain has it too")
			}
		})
	}
}

// Exporters may say a rate once, when they start, and not name the sampler in records.
func TestRateThatIsNeededIsNotForgotten(t *testing.T) {
	table := NewTable(Config{})
	address := spoofed(1)
	establish(table, address, start).SetRate(9, 1, 3, 300)
	now := start
	for ; now.Sub(start) < 50*time.Hour; now = now.Add(30 * time.Minute) {
		state := table.Get(address, now)
		state.SetRate(9, 2, 1, uint64(now.Unix())) // what changes makes room
		if rate, source := state.Rate(9, 1, 0, 0); rate != 300 || source != pb.FlowMessage_RATE_OPTIONS {
			t.Fatalf("after %v: rate %d from %v, want 300 from options", now.Sub(start), rate, source)
		}
	}
	restarted := load(t, save(t, table, now), now)
	if rate, _ := restarted.Get(address, now).Rate(9, 1, 0, 0); rate != 300 {
		t.Errorf("rate %d after a restart, want 300", rate)
	}
}

// What is found for a domain is kept, but is not counted in the bytes of the table.
func TestDomainsWithoutRatesTakeNoMemory(t *testing.T) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	state.SetRate(9, 1, 1, 100)
	state.SetRate(9, 1, 2, 100)
	for domain := range uint32(1000) {
		state.Rate(9, domain, 0, 0)
	}
	if n := len(state.agreed); n > 2 {
		t.Errorf("%d domains are kept, want no more than there are rates, 2", n)
	}
	if rate, _ := state.Rate(9, 1, 0, 0); rate != 100 {
		t.Errorf("rate %d of the domain that has one, want 100", rate)
	}
}

func TestSamplersOfOneExporterAreBounded(t *testing.T) {
	state := NewTable(Config{MaxSamplers: 10}).Get(spoofed(1), start)
	before := int(testutil.ToFloat64(samplersCapacity))
	for i := range uint32(1000) {
		state.SetRate(9, i, uint64(i), 100)
		state.Rate(9, i, 0, 0)
	}
	if n := state.rates.len(); n != 10 {
		t.Errorf("%d rates are kept, want 10", n)
	}
	if n := len(state.agreed); n > 10 {
		t.Errorf("%d domains are kept, want at most 10", n)
	}
	if evicted := int(testutil.ToFloat64(samplersCapacity)) - before; evicted != 990 {
		t.Errorf("%d evictions were counted, want 990", evicted)
	}
}

func BenchmarkRate(b *testing.B) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	for sampler := range uint64(4) {
		state.SetRate(9, 1, sampler+1, 1000)
	}
	for _, test := range []struct {
		name          string
		sampler, said uint64
	}{
		{"said by the packet", 0, 1000},
		{"by sampler", 3, 0},
		{"that all samplers agree on", 0, 0},
		{"unknown", 9, 0},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				state.Rate(9, 1, test.sampler, test.said)
			}
		})
	}
}
