package exporter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
)

// series returns what the metrics of a table are, by name and labels as in a query.
func series(t *testing.T, table *Table) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(table))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := family.GetName() + "{" + strings.Join(labels, ",") + "}"
			all[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

func wantSeries(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, value)
		}
	}
}

func TestMetricsOfAnExporter(t *testing.T) {
	now := start
	table := NewTable(Config{Overrides: overrides(t, `{"0.0.0.1": {"name": "edge", "samplingRate": 512, "maxFlowsPerSecond": 1}}`)})
	state := table.Get(spoofed(1), now)
	state.Received(flow.IPFIX, 1000)
	state.Received(flow.IPFIX, 400)
	state.AddRecords(flow.IPFIX, 30, 2)
	for _, sequence := range []uint32{0, 20, 10, 10, 500_000_000, 500_000_010} {
		state.Sequence(flow.IPFIX, 1, sequence, 10)
	}
	state.Rate(10, 1, 0, 0)
	state.Hold(10, 1, 256, Held{Received: now})
	kept := 0
	for range 100 {
		if keep, _ := state.Keep(now); keep {
			kept++
		}
	}
	all := series(t, table)
	wantSeries(t, all, map[string]float64{
		`netmeta_exporter_datagrams_total{exporter="0.0.0.1",protocol="ipfix"}`:                        2,
		`netmeta_exporter_bytes_total{exporter="0.0.0.1",protocol="ipfix"}`:                            1400,
		`netmeta_exporter_records_total{exporter="0.0.0.1",protocol="ipfix"}`:                          30,
		`netmeta_exporter_unknown_rate_records_total{exporter="0.0.0.1",protocol="ipfix"}`:             2,
		`netmeta_exporter_lost_total{exporter="0.0.0.1",protocol="ipfix",unit="records"}`:              10,
		`netmeta_exporter_late_total{exporter="0.0.0.1",protocol="ipfix",unit="records"}`:              10,
		`netmeta_exporter_missed_while_down_total{exporter="0.0.0.1",protocol="ipfix",unit="records"}`: 0,
		`netmeta_exporter_duplicate_datagrams_total{exporter="0.0.0.1",protocol="ipfix"}`:              1,
		`netmeta_exporter_sequence_restarts_total{exporter="0.0.0.1",protocol="ipfix"}`:                1,
		`netmeta_exporter_template_misses_total{exporter="0.0.0.1",protocol="ipfix"}`:                  1,
		`netmeta_exporter_limited_flows_total{exporter="0.0.0.1"}`:                                     float64(100 - kept),
		`netmeta_exporter_sampling_rate{exporter="0.0.0.1"}`:                                           512,
		`netmeta_exporter_last_seen_timestamp_seconds{exporter="0.0.0.1"}`:                             float64(now.UnixNano()) / 1e9,
		`netmeta_exporter_info{exporter="0.0.0.1",name="edge"}`:                                        1,
	})
	for name := range all {
		if strings.Contains(name, "sflow") {
			t.Errorf("%s is there although no sFlow was received", name)
		}
	}
}

func TestUnitsOfLoss(t *testing.T) {
	for p, want := range map[flow.Protocol]string{flow.SFlow: "datagrams", flow.NetFlow9: "datagrams", flow.NetFlow5: "records", flow.IPFIX: "records"} {
		if unit(p) != want {
			t.Errorf("%s counts %s, want %s", p, unit(p), want)
		}
	}
}

const (
	datagramsOf    = `netmeta_exporter_datagrams_total{exporter=%q,protocol="sflow"}`
	datagramsOther = `netmeta_exporter_datagrams_total{exporter="other",protocol="sflow"}`
)

// What was counted as other stays there, so that neither series nor sums go back.
func TestExporterGetsMetricsOfItsOwnWhenItIsEstablished(t *testing.T) {
	now := start
	table := NewTable(Config{})
	for i := range 5 {
		table.Get(spoofed(1), now.Add(time.Duration(i)*time.Second)).Received(flow.SFlow, 100)
		sum := 0.0
		for name, value := range series(t, table) {
			if strings.HasPrefix(name, "netmeta_exporter_datagrams_total") {
				sum += value
			}
		}
		if sum != float64(i+1) {
			t.Errorf("%v datagrams in all, want %d", sum, i+1)
		}
	}
	wantSeries(t, series(t, table), map[string]float64{fmt.Sprintf(datagramsOf, "0.0.0.1"): 3, datagramsOther: 2})
}

func TestNumberOfExportersWithMetricsIsBounded(t *testing.T) {
	now := start
	table := NewTable(Config{MaxSeries: 3, Idle: time.Hour})
	for i := range 10 {
		establish(table, spoofed(i), now.Add(time.Duration(i)*time.Minute)).Received(flow.SFlow, 100)
	}
	own := func() (own []string) {
		for name := range series(t, table) {
			if strings.HasPrefix(name, "netmeta_exporter_last_seen") {
				own = append(own, strings.Split(name, `"`)[1])
			}
		}
		slices.Sort(own)
		return own
	}
	if got := strings.Join(own(), " "); got != "0.0.0.0 0.0.0.1 0.0.0.2" {
		t.Errorf("%s have metrics of their own, want the first three", got)
	}
	wantSeries(t, series(t, table), map[string]float64{datagramsOther: 7})

	// The place of the first, which is forgotten, goes to the next that is heard of.
	table.Get(spoofed(9), now.Add(time.Hour)).Received(flow.SFlow, 100)
	table.Get(spoofed(9), now.Add(time.Hour)).Received(flow.SFlow, 100)
	if got := strings.Join(own(), " "); got != "0.0.0.1 0.0.0.2 0.0.0.9" {
		t.Errorf("%s have metrics of their own, want the first to have made room for the last", got)
	}
	wantSeries(t, series(t, table), map[string]float64{fmt.Sprintf(datagramsOf, "0.0.0.9"): 2, datagramsOther: 7})
}

func TestMetricsAreWellFormed(t *testing.T) {
	table := NewTable(Config{Overrides: overrides(t, `{"0.0.0.1": {"name": "edge"}}`)})
	state := table.Get(spoofed(1), start)
	state.Received(flow.SFlow, 100)
	state.Rate(0, 0, 0, 1)
	problems, err := testutil.CollectAndLint(NewCollector(table))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestLookingAtTheMetricsForgetsWhatIsTooOld(t *testing.T) {
	table := NewTable(Config{TemplateWait: time.Minute})
	table.Get(spoofed(1), start).Hold(9, 0, 256, held(0, "a"))
	before := testutil.ToFloat64(heldExpired)
	series(t, table)
	if n := testutil.ToFloat64(heldExpired) - before; n != 0 {
		t.Fatalf("%.0f sets expired at once", n)
	}
	table.sweptAt = table.sweptAt.Add(-time.Minute) // a minute passes in which nothing is received
	series(t, table)
	if n := testutil.ToFloat64(heldExpired) - before; n != 1 {
		t.Errorf("%.0f sets expired after a minute, want 1", n)
	}
}

func BenchmarkCollect(b *testing.B) {
	table := NewTable(Config{})
	now := start
	for i := range 1000 {
		establish(table, spoofed(i), now).Received(flow.SFlow, 100)
	}
	for b.Loop() {
		testutil.CollectAndCount(NewCollector(table))
	}
}
