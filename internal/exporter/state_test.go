package exporter

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/pb"
)

func octets(length uint16) *Template { return NewTemplate(false, 0, []Field{{ID: 1, Length: length}}) }

func TestTemplateSizes(t *testing.T) {
	for name, test := range map[string]struct {
		fields   []Field
		minSize  int
		variable bool
	}{
		"fixed":            {[]Field{{ID: 1, Length: 4}, {ID: 2, Length: 8}}, 12, false},
		"with empty ones":  {[]Field{{ID: 1, Length: 4}, {ID: 2}}, 4, false},
		"empty":            {[]Field{{ID: 1}, {ID: 2}}, 0, false},
		"variable":         {[]Field{{ID: 1, Length: 4}, {ID: 82, Length: VariableLength}}, 5, true},
		"nothing but that": {[]Field{{ID: 82, Length: VariableLength}}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := NewTemplate(false, 0, test.fields)
			if got.MinSize != test.minSize || got.Variable != test.variable {
				t.Errorf("size %d, variable %v; want %d, %v", got.MinSize, got.Variable, test.minSize, test.variable)
			}
		})
	}
}

func TestTemplatesAreKeyedByVersionDomainAndID(t *testing.T) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	state.SetTemplate(9, 1, 256, octets(4))
	for name, got := range map[string]*Template{
		"another version": state.Template(10, 1, 256),
		"another domain":  state.Template(9, 2, 256),
		"another id":      state.Template(9, 1, 257),
	} {
		if got != nil {
			t.Errorf("%s has the template too", name)
		}
	}
	if state.Template(9, 1, 256) == nil {
		t.Error("the template is not there")
	}
}

func TestSetTemplateTellsRepetitionFromChange(t *testing.T) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	for _, step := range []struct {
		name     string
		template *Template
		changed  bool
	}{
		{"first", octets(4), true},
		{"repeated", octets(4), false},
		{"wider", octets(8), true},
		{"for options", NewTemplate(true, 0, []Field{{ID: 1, Length: 8}}), true},
		{"with a scope", NewTemplate(true, 1, []Field{{ID: 1, Length: 8}}), true},
	} {
		if got := state.SetTemplate(10, 0, 256, step.template); got != step.changed {
			t.Errorf("%s: changed %v, want %v", step.name, got, step.changed)
		}
	}
}

func TestLeastRecentlyUsedTemplateGoesFirst(t *testing.T) {
	state := NewTable(Config{MaxTemplates: 2}).Get(spoofed(1), start)
	before := int(testutil.ToFloat64(templatesCapacity))
	state.SetTemplate(9, 0, 256, octets(4))
	state.SetTemplate(9, 0, 257, octets(4))
	state.Template(9, 0, 256)
	state.SetTemplate(9, 0, 258, octets(4))
	if state.Template(9, 0, 256) == nil || state.Template(9, 0, 257) != nil || state.Template(9, 0, 258) == nil {
		t.Error("want 257, which was not used since, to be gone, and 256 and 258 to be kept")
	}
	if evicted := int(testutil.ToFloat64(templatesCapacity)) - before; evicted != 1 {
		t.Errorf("%d evictions were counted, want 1", evicted)
	}
}

func TestWideTemplatesOfOneExporterAreBounded(t *testing.T) {
	table := NewTable(Config{})
	other := table.Get(spoofed(2), start)
	other.SetTemplate(9, 0, 256, octets(4))
	state := table.Get(spoofed(1), start)
	for id := range uint16(4096) {
		state.SetTemplate(9, 0, 256+id, NewTemplate(false, 0, make([]Field, 1024)))
	}
	if state.size > maxTemplateBytes {
		t.Errorf("templates of %d bytes, want at most %d", state.size, maxTemplateBytes)
	}
	if table.Get(spoofed(2), start).Template(9, 0, 256) == nil {
		t.Error("they drove out the template of another exporter")
	}
}

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
	if n := state.rates.Len(); n != 10 {
		t.Errorf("%d rates are kept, want 10", n)
	}
	if n := len(state.agreed); n > 10 {
		t.Errorf("%d domains are kept, want at most 10", n)
	}
	if evicted := int(testutil.ToFloat64(samplersCapacity)) - before; evicted != 990 {
		t.Errorf("%d evictions were counted, want 990", evicted)
	}
}
