//go:build linux

package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The script measures only what this repository builds, as long as nothing else is
// asked for: so it can be tested anywhere.
func TestScriptMeasuresNetmetaByItself(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../../scripts/bench.sh", "collector",
		"--collectors", "netmeta,netmeta-kafka", "--protocols", "netflow9", "--rounds", "1", "--seconds", "0.2", "--highest", "25000", "--output", "json")
	cmd.Env = append(cmd.Environ(), "NETMETA_SHARED=") // generated datagrams
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var results []result
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Protocol+" "+r.Collector)
		if r.RecordsPerCPUSecond <= 0 {
			t.Errorf("%s to %s: %d records per second of processor time", r.Protocol, r.Collector, r.RecordsPerCPUSecond)
		}
	}
	want := []string{"netflow9 netmeta", "netflow9 netmeta-kafka"}
	if !slices.Equal(got, want) {
		t.Errorf("measured %v, want %v", got, want)
	}
}
