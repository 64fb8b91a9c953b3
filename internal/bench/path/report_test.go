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

	"github.com/leoluk/NetMeta/internal/generate"
)

func TestArguments(t *testing.T) {
	for _, test := range []struct{ name, args, err string }{
		{"nothing said", "", ""},
		{"everything said", "--shape processes --rate 5e4 --exporters 3 --seconds 0.5 --output json --dir /tmp", ""},
		{"unknown shape", "--shape cluster", `--shape "cluster"`},
		{"no rate", "--rate 0", "--rate 0"},
		{"no exporter", "--exporters 0", "--exporters 0"},
		{"no time", "--seconds 0", "--seconds 0"},
		{"unknown output", "--output xml", `--output "xml"`},
		{"argument", "standalone", `unknown argument "standalone"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(strings.Fields(test.args), io.Discard)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
	o, err := parse(nil, io.Discard)
	if want := (load{rate: 200_000, exporters: 10, duration: time.Minute}); err != nil || o.load != want || o.shape != both {
		t.Errorf("%+v to %s, error %v; want %+v to both", o.load, o.shape, err, want)
	}
}

func TestExportersAreDealtToTheProtocolsInTurn(t *testing.T) {
	for exporters, want := range map[int]map[generate.Protocol]int{
		10: {generate.SFlow: 3, generate.NetFlow5: 3, generate.NetFlow9: 2, generate.IPFIX: 2},
		2:  {generate.SFlow: 1, generate.NetFlow5: 1},
	} {
		if diff := cmp.Diff(want, load{exporters: exporters}.shares()); diff != "" {
			t.Errorf("%d exporters (-want +got):\n%s", exporters, diff)
		}
	}
}

// measured is a run in which the collector lost some flows and the engine others.
func measured() measurement {
	memory := []int{10 << 20}
	for range 30 {
		memory = append(memory, 40<<20)
	}
	memory[later] = 41 << 20
	return measurement{
		shape: "processes", sent: 2000, sending: 2 * time.Second, received: 1990, stored: 1980, behind: 1500 * time.Millisecond,
		losses: []loss{{"kernel", "datagrams", "sflow", 1}, {"ClickHouse", "messages", "", 2}},
		parts: []usage{
			{"engine", 3 * time.Second, memory, 50 << 20},
			{"collector", time.Second, []int{1 << 20, 2 << 20}, 3 << 20},
		},
	}
}

func TestReportAddsUpWhatTheProgramsTook(t *testing.T) {
	var out bytes.Buffer
	if err := (report{measured()}).writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"shape": "processes", "sent": 2000., "sent_per_second": 1000., "received": 1990., "stored": 1980., "lost": 20.,
		"lost_by": []any{
			map[string]any{"stage": "kernel", "unit": "datagrams", "reason": "sflow", "count": 1.},
			map[string]any{"stage": "ClickHouse", "unit": "messages", "reason": "", "count": 2.},
		},
		"stored_seconds_after_the_last": 1.5, "cpu_seconds": 4., "flows_per_cpu_second": 495.,
		"programs": []any{
			map[string]any{"name": "engine", "cpu_seconds": 3., "resident_mib": map[string]any{"start": 10., "after_10s": 41., "end": 40., "peak": 50.}},
			map[string]any{"name": "collector", "cpu_seconds": 1., "resident_mib": map[string]any{"start": 1., "after_10s": 2., "end": 2., "peak": 3.}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestReportForPeopleNamesWhatWasLost(t *testing.T) {
	var out bytes.Buffer
	if err := (report{measured()}).writeTable(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"processes: 1 datagrams lost: kernel, sflow\n", "processes: 2 messages lost: ClickHouse\n", "41.0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
