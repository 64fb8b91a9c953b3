package sflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/sflow"
	"github.com/leoluk/NetMeta/pb"
)

// total sums a metric over the exporters of a table.
func total(t *testing.T, table *exporter.Table, name string) (sum float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(exporter.NewCollector(table))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
			return sum
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// configured is a table with what is configured for the tests' agent, 192.0.2.10.
func configured(t *testing.T, override string) *exporter.Table {
	t.Helper()
	overrides, err := exporter.ReadOverrides(strings.NewReader(`{"192.0.2.10": ` + override + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return exporter.NewTable(exporter.Config{Overrides: overrides})
}

func TestDatagramsAreCountedForTheirAgent(t *testing.T) {
	table := exporter.NewTable(exporter.Config{})
	d := sflow.NewDecoder(table, func(*flow.Record) {}, nil)
	numbered := func(subAgent, sequence uint32) []byte {
		return join(words(5, 1, 0xc000020a, subAgent, sequence, 0, 2), sampleOf(), sample{}.bytes())
	}
	bytes := 0
	now := time.Now() // the metrics forget exporters by the clock
	for _, b := range [][]byte{numbered(1, 100), numbered(2, 7), numbered(1, 103), numbered(2, 8)} {
		bytes += len(b)
		if err := d.Decode(b, source, now); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]float64{
		"netmeta_exporter_datagrams_total":            4,
		"netmeta_exporter_bytes_total":                float64(bytes),
		"netmeta_exporter_records_total":              8,
		"netmeta_exporter_unknown_rate_records_total": 4,
		"netmeta_exporter_lost_total":                 2, // sub-agents number their datagrams apart
	} {
		if got := total(t, table, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestConfiguredRateIsThatOfTheAgent(t *testing.T) {
	var r flow.Record
	d := sflow.NewDecoder(configured(t, `{"samplingRate": 512}`), func(emitted *flow.Record) { r = *emitted }, nil)
	if err := d.Decode(datagramOf(sampleOf()), source, received); err != nil {
		t.Fatal(err)
	}
	if r.SamplingRate != 512 || r.SamplingRateSource != pb.FlowMessage_RATE_CONFIGURED {
		t.Errorf("rate %d, %v, want 512 as configured", r.SamplingRate, r.SamplingRateSource)
	}
}

func TestRateIsThatOfEachSample(t *testing.T) {
	flows, err := decode(t, datagramOf(sample{rate: 10}.bytes(), sample{rate: 20}.bytes(), sample{}.bytes(), sample{rate: 20}.bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, r := range flows {
		got = append(got, r.SamplingRate)
	}
	if len(got) != 4 || got[0] != 10 || got[1] != 20 || got[2] != 1 || got[3] != 20 {
		t.Errorf("rates %v, want 10, 20, 1 (unknown), 20", got)
	}
}

// What is over the limit is left out, and what is kept stands for it.
func TestFlowsOverTheLimitAreLeftOutAndScaled(t *testing.T) {
	var kept, packets uint64
	table := configured(t, `{"maxFlowsPerSecond": 100}`)
	d := sflow.NewDecoder(table, func(r *flow.Record) { kept++; packets += r.SamplingRate / 1000 }, nil)
	const sent = 10_000
	now := time.Now() // the metrics forget exporters by the clock
	for range sent / 5 {
		if err := d.Decode(datagramOf(repeat(5, sampleOf())...), source, now); err != nil {
			t.Fatal(err)
		}
	}
	if kept == 0 || kept > 1000 {
		t.Errorf("%d of %d flows kept, want about 100", kept, sent)
	}
	if packets <= kept {
		t.Errorf("%d flows kept stand for %d", kept, packets)
	}
	if got := total(t, table, "netmeta_exporter_records_total"); got != float64(kept) {
		t.Errorf("%v records counted, want the %d that were handed on", got, kept)
	}
}
