//go:build linux

package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

func TestScriptMeasuresBothShapes(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../../scripts/bench.sh", "path",
		"--rate", "10000", "--exporters", "4", "--seconds", "1", "--dir", t.TempDir(), "--output", "json")
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var results []struct {
		Shape             string
		Sent              int
		Received          int
		Stored            int
		FlowsPerCPUSecond int              `json:"flows_per_cpu_second"`
		LostBy            []map[string]any `json:"lost_by"`
		Programs          []struct {
			ResidentMiB held `json:"resident_mib"`
		}
	}
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	programs := map[string]int{"standalone": 1, "processes": 2}
	if len(results) != len(programs) {
		t.Fatalf("%d shapes, want %d: %s", len(results), len(programs), out)
	}
	for _, r := range results {
		if r.Sent == 0 || r.Received != r.Sent || r.Stored != r.Sent || len(r.LostBy) > 0 {
			t.Errorf("%s: %d flows sent, %d received, %d stored, lost by %v", r.Shape, r.Sent, r.Received, r.Stored, r.LostBy)
		}
		if r.FlowsPerCPUSecond <= 0 || len(r.Programs) != programs[r.Shape] {
			t.Errorf("%s: %d flows per second of processor time in %d programs, want %d", r.Shape, r.FlowsPerCPUSecond, len(r.Programs), programs[r.Shape])
		}
		for _, p := range r.Programs {
			if p.ResidentMiB.Start <= 0 || p.ResidentMiB.Highest < p.ResidentMiB.End {
				t.Errorf("%s: resident %+v", r.Shape, p.ResidentMiB)
			}
		}
	}
}
