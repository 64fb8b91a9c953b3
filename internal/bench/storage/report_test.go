//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		name, args string
		rows       int
		output     string
		err        string
	}{
		{"nothing said", "", 20_000_000, "table", ""},
		{"rows by flag", "--rows 5", 5, "table", ""},
		{"rows first, flags behind", "100000000 --output json", 100_000_000, "json", ""},
		{"flags first, rows behind", "--output json 7", 7, "json", ""},
		{"no number", "many", 0, "", `unknown argument "many"`},
		{"two numbers", "5 6", 0, "", `unknown argument "6"`},
		{"too many rows", "--rows 200000001", 0, "", "must be 1 to 200000000"},
		{"unknown output", "--output xml", 0, "", `--output "xml"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := parse(strings.Fields(test.args), io.Discard)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil || o.rows != test.rows || o.output != test.output {
				t.Errorf("%d rows as %s, %v; want %d as %s", o.rows, o.output, err, test.rows, test.output)
			}
		})
	}
}

func TestDesignsAreChosenByName(t *testing.T) {
	if all, err := choose("all"); err != nil || len(all) != len(designs) {
		t.Errorf("all: %d designs, %v; want %d", len(all), err, len(designs))
	}
	if two, err := choose("netmeta,original"); err != nil || len(two) != 2 || two[0].name != "netmeta" {
		t.Errorf("netmeta,original: %v, %v", two, err)
	}
	if _, err := choose("netmeta,none"); err == nil {
		t.Error("an unknown design is accepted")
	}
}

func TestReportHasTheBestOfTheRounds(t *testing.T) {
	ms := func(values ...int) (all []time.Duration) {
		for _, v := range values {
			all = append(all, time.Duration(v)*time.Millisecond)
		}
		return all
	}
	second := spent{wall: time.Second, cpu: time.Second}
	r := report{
		parsed: second,
		tables: []*table{
			{design: design{name: "original"}, rows: 1000, insert: second, size: size{total: 40_000}},
			{design: design{name: "netmeta"}, rows: 1000, insert: second, size: size{total: 20_000}},
		},
		queries: []measurement{{query: query{name: "q", kind: "scan"}, latencies: []latency{
			{warm: ms(30, 20), cpu: ms(18, 19), cold: ms(90), rows: 7},
			{warm: ms(5, 10), cpu: ms(5, 6), cold: ms(70), rows: 3},
		}}},
	}
	var out bytes.Buffer
	if err := r.writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"bytes_per_row":          map[string]any{"original": 40., "netmeta": 20.},
		"insert_rows_per_second": 500.,
		"queries": []any{map[string]any{"name": "q", "kind": "scan",
			"original_ms": 20., "original_cpu_ms": 18., "original_cold_ms": 90., "original_rows_read": 7.,
			"netmeta_ms": 5., "netmeta_cpu_ms": 5., "netmeta_cold_ms": 70., "netmeta_rows_read": 3.}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}
