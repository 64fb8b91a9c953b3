//go:build linux

package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

func TestScriptMeasuresWhatAQueueCosts(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../../scripts/bench.sh", "ingest", "--rows", "1000000", "--dir", t.TempDir(), "--output", "json")
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if r.Rows != 1_000_000 || r.RowsPerSecond <= 0 || r.Storing <= 0 || r.BytesPerRow <= 0 || r.PeakMiB <= 0 {
		t.Errorf("got %+v", r)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"rows"}, {"--rows", "999999"}, {"--rows", "200000001"}, {"--seconds", "0"}, {"--output", "csv"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
