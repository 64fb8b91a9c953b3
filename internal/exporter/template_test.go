package exporter

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
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
	if state.templates.bytes > maxTemplateBytes {
		t.Errorf("templates of %d bytes, want at most %d", state.templates.bytes, maxTemplateBytes)
	}
	if table.Get(spoofed(2), start).Template(9, 0, 256) == nil {
		t.Error("they drove out the template of another exporter")
	}
}
