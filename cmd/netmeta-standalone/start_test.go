package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/generate"
)

func TestStartThatCannotSucceedSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // the subtests run after this function has returned
	takenUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { takenUDP.Close() })
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a library, not a directory"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"console's port is taken":       {[]string{"--console", taken.Addr().String()}, []string{"--console", taken.Addr().String(), "in use"}},
		"webhook is no URL":             {[]string{"--alert-webhook", "alertmanager:9093"}, []string{"--alert-webhook", "not an http or https URL"}},
		"console for everybody":         {[]string{"--console", ":0"}, []string{"--console :0", "--console-password-file", "--console-trusted-header", "--console-trusted-proxies"}},
		"console without its password":  {[]string{"--console", ":0", "--console-password-file", file}, []string{"--console-password-file", "hash-password makes one"}},
		"console with a proxy's name":   {[]string{"--console-trusted-header", "X-User", "--console-trusted-proxies", "proxy.example"}, []string{"--console-trusted-proxies", "proxy.example"}},
		"console with anybody's header": {[]string{"--console-trusted-header", "X-User"}, []string{"--console-trusted-proxies"}},
		"ClickHouse's port is taken":    {[]string{"--clickhouse-http", taken.Addr().String()}, []string{"--clickhouse-http", taken.Addr().String(), "in use"}},
		"Kafka's port is taken":         {[]string{"--kafka", taken.Addr().String()}, []string{"--kafka", taken.Addr().String(), "in use"}},
		"metrics' port is taken":        {[]string{"--metrics", taken.Addr().String()}, []string{"--metrics", taken.Addr().String(), "in use"}},
		"flow port is taken":            {[]string{"--sflow", takenUDP.LocalAddr().String()}, []string{"--sflow", takenUDP.LocalAddr().String(), "in use"}},
		"libchdb is missing":            {[]string{"--libchdb", "/nowhere/libchdb.so"}, []string{"/nowhere/libchdb.so", "no such file"}},
		"libchdb is something else":     {[]string{"--libchdb", file}, []string{file}},
		"data directory is a file":      {[]string{"--data-dir", file}, []string{file, "--data-dir"}},
		"data directory cannot be made": {[]string{"--data-dir", "/proc/netmeta"}, []string{"/proc/netmeta", "--data-dir"}},
		"retention is too short":        {[]string{"--retention", "1s"}, []string{"--retention", "at least an hour"}},
		"every flow port is off":        {[]string{"--sflow", "", "--netflow", "", "--netflow-legacy", ""}, []string{"switched off"}},
		"flag does not exist":           {[]string{"--sflw", ":1"}, []string{"--sflw"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := launch(t, filepath.Join(t.TempDir(), "data"), test.args...)
			i.waitEnd(t)
			if i.Err == nil {
				t.Fatal("the program ended without an error")
			}
			lines := strings.Split(strings.TrimSpace(i.Log.String()), "\n")
			last := lines[len(lines)-1]
			for _, want := range test.want {
				if !strings.Contains(last, want) {
					t.Errorf("the last line does not say %q: %s", want, last)
				}
			}
		})
	}
}

func TestSecondInstanceOnTheSameDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	second := launch(t, dir)
	second.waitEnd(t)
	if second.Err == nil || !strings.Contains(second.Log.String(), "in use by another netmeta-standalone") {
		t.Errorf("the second instance ended with %v:\n%s", second.Err, second.Log)
	}
}

func TestHalfWrittenDataDirectoryIsReportedAndTheRestServed(t *testing.T) {
	dir := t.TempDir()
	i := start(t, dir)
	if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.SFlow, To: i.SFlow, Flows: 1000, Rate: 10_000, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "1000", "SELECT count() FROM flows_raw")
	table, err := i.ask("SELECT arrayElement(data_paths, 1) FROM system.tables WHERE database = 'default' AND name = 'flows_raw'")
	if err != nil {
		t.Fatal(err)
	}
	i.stop(t)
	parts, err := filepath.Glob(filepath.Join(table, "*/data.bin"))
	if err != nil || len(parts) == 0 {
		t.Fatalf("no part of flows_raw found in %s: %v", table, err)
	}
	for _, part := range parts {
		if err := os.Truncate(part, 10); err != nil {
			t.Fatal(err)
		}
	}
	segments, err := filepath.Glob(filepath.Join(dir, "kafka/partitions/*/*.dat"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("no segment of Kafka found below %s: %v", dir, err)
	}
	for _, segment := range segments {
		if info, err := os.Stat(segment); err != nil || os.Truncate(segment, max(0, info.Size()-7)) != nil {
			t.Fatal(segment, err)
		}
	}

	i = start(t, dir)
	for _, want := range []string{"ClickHouse cannot read a part of a table", "table=flows_raw", "truncating"} {
		if !strings.Contains(i.Log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, i.Log)
		}
	}
	if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.SFlow, To: i.SFlow, Flows: 500, Rate: 10_000, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "500", "SELECT count() FROM flows_raw")
}
