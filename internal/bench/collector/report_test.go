//go:build linux

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ran is a measurement that lasted a second.
func ran(sent, processed int, spent time.Duration) measurement {
	return measurement{sent: sent, processed: processed, spent: spent, sending: time.Second}
}

// rounds of three collectors; the numbers are such that means differ from medians.
var rounds = []step{
	{"sflow", "netmeta", 1e6, ran(1000, 1000, 100*time.Millisecond)},
	{"sflow", "goflow2", 1e4, ran(100, 90, 100*time.Millisecond)},
	{"ipfix", "netmeta", 1e6, ran(1000, 1000, 50*time.Millisecond)},
	{"sflow", "netmeta", 1e6, ran(1000, 700, 10*time.Millisecond)},
	{"sflow", "goflow2", 1e4, ran(100, 100, 10*time.Second)},
	{"ipfix", "netmeta", 1e6, ran(1000, 1000, 50*time.Millisecond)},
	{"sflow", "netmeta", 1e6, ran(1000, 1000, 50*time.Millisecond)},
	{"sflow", "goflow2", 1e4, ran(100, 100, 50*time.Millisecond)},
	{"ipfix", "netmeta", 1e6, ran(1000, 1000, 0)},
}

func TestResultsAreMediansRelativeToOurs(t *testing.T) {
	got := report{measured: rounds}.results()
	want := []result{
		{Protocol: "sflow", Collector: "netmeta", RecordsPerCPUSecond: 20_000, Lost: 0, offered: 1000, ratio: 1},
		{Protocol: "sflow", Collector: "goflow2", RecordsPerCPUSecond: 900, Lost: 0, offered: 100, ratio: 0.045},
		{Protocol: "ipfix", Collector: "netmeta", RecordsPerCPUSecond: 20_000, Lost: 0, offered: 1000, ratio: 1},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("results differ (-want +got):\n%s", diff)
	}
}

func TestJSONHasTheAgreedKeys(t *testing.T) {
	var out strings.Builder
	if err := (report{measured: rounds[:2]}).writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `[{"protocol":"sflow","collector":"netmeta","records_per_cpu_second":10000,"lost":0},` +
		`{"protocol":"sflow","collector":"goflow2","records_per_cpu_second":900,"lost":10}]`
	if got := strings.TrimSpace(out.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid([]byte(out.String())) {
		t.Error("not JSON")
	}
}

func TestHighestRateWithoutLossIsTheOneToMeasureAt(t *testing.T) {
	late := ran(400_000, 400_000, time.Second)
	late.behind = time.Second
	climb := []step{
		{"sflow", "goflow2", 25_000, ran(25_000, 25_000, time.Second)},
		{"sflow", "netmeta", 25_000, ran(25_000, 25_000, time.Second)},
		{"sflow", "netmeta", 50_000, ran(50_000, 45_000, time.Second)}, // held up by something else
		{"sflow", "netmeta", 100_000, ran(100_000, 99_950, time.Second)},
		{"sflow", "netmeta", 200_000, ran(200_000, 199_000, time.Second)},
		{"sflow", "netmeta", 400_000, late},
		{"ipfix", "netmeta", 800_000, ran(300_000, 300_000, time.Second)},
	}
	for _, test := range []struct {
		name, protocol, collector string
		want                      float64
	}{
		{"a step that failed in between does not count", "sflow", "netmeta", 100_000},
		{"one step", "sflow", "goflow2", 25_000},
		{"no more than was sent", "ipfix", "netmeta", 300_000},
		{"none", "netflow9", "netmeta", firstRate},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := managed(climb, test.protocol, test.collector); got != test.want {
				t.Errorf("%g, want %g", got, test.want)
			}
		})
	}
}

func TestTableShowsLossByRate(t *testing.T) {
	slow := ran(100, 100, time.Second)
	slow.sending = time.Minute
	late := ran(10_000_000, 5_000_000, time.Second)
	late.behind = time.Second
	r := report{rounds: 1, measured: rounds, climb: []step{
		{"sflow", "netmeta", 25_000, ran(25_000, 25_000, time.Second)},
		{"sflow", "goflow2", 25_000, ran(25_000, 20_000, time.Second)},
		{"sflow", "netmeta", 10_000_000, late},
		{"sflow", "netmeta", 20_000_000, slow},
	}}
	var out strings.Builder
	if err := r.writeTable(&out); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		lines[strings.Join(strings.Fields(line), " ")] = true
	}
	for _, want := range []string{
		"protocol collector records/CPU-s of ours lost offered/s",
		"sflow netmeta 20,000 1.00 0 1,000",
		"sflow goflow2 900 0.04 0 100",
		"protocol collector 25 k 10 M 20 M",
		"sflow netmeta 0.0 50.0* -",
		"sflow goflow2 20.0 - -",
	} {
		if !lines[want] {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}
