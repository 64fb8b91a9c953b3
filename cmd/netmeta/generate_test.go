package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
)

// execute runs netmeta with args and returns what it wrote.
func execute(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.ExecuteContext(context.Background())
	return out.String(), errs.String(), err
}

// listenUDP returns the address of a socket that takes datagrams during the test.
func listenUDP(t *testing.T, address string) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket.LocalAddr().String()
}

func TestGenerateEndsWithItsReportAsJSON(t *testing.T) {
	for _, protocol := range []string{"sflow", "netflow5", "netflow9", "ipfix"} {
		t.Run(protocol, func(t *testing.T) {
			to := listenUDP(t, "127.0.0.1:0")
			stdout, _, err := execute(t, "generate", "--protocol", protocol, "--to", to, "--flows", "100",
				"--rate", "100000", "--exporters", "3", "--seed", "2", "--output", "json")
			if err != nil {
				t.Fatal(err)
			}
			var report struct {
				Exporters []struct {
					Address     string
					Records     uint64
					Bytes       uint64
					Packets     uint64
					ScaledBytes uint64 `json:"scaled_bytes"`
				}
			}
			decoder := json.NewDecoder(strings.NewReader(stdout))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&report); err != nil {
				t.Fatalf("%v in %s", err, stdout)
			}
			records := uint64(0)
			for _, e := range report.Exporters {
				if e.Address == "" || e.Bytes == 0 || e.Packets < e.Records || e.ScaledBytes < 512*e.Bytes {
					t.Errorf("exporter %+v", e)
				}
				records += e.Records
			}
			if len(report.Exporters) != 3 || records != 100 {
				t.Errorf("%d records of %d exporters, want 100 of 3", records, len(report.Exporters))
			}
		})
	}
}

func TestGenerateSaysThatExportersShareAnAddress(t *testing.T) {
	to := listenUDP(t, "[::1]:0")
	stdout, stderr, err := execute(t, "generate", "--protocol", "ipfix", "--to", to, "--flows", "10", "--exporters", "2")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stderr, "2 exporters sent from one address, ::1") {
		t.Errorf("stderr %q does not say that the report is a sum", stderr)
	}
	if !strings.Contains(stdout, "::1       10") {
		t.Errorf("table\n%s\nhas no line with 10 records of ::1", stdout)
	}
}

func TestGenerateRefusesWhatItCannotDo(t *testing.T) {
	tests := []struct {
		name string
		args string
		want string
	}{
		{"unknown protocol", "--protocol jflow", `--protocol: unknown protocol "jflow": one of sflow, netflow5, netflow9, ipfix`},
		{"unknown output", "--output xml", `--output "xml"`},
		{"time that is none", "--start yesterday", "--start"},
		{"no rate", "--rate 0", "rate 0"},
		{"argument", "127.0.0.1:6343", "unknown command"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := execute(t, append([]string{"generate"}, strings.Fields(test.args)...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestShellsCompleteProtocols(t *testing.T) {
	stdout, _, err := execute(t, "__complete", "generate", "--protocol", "netflow")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stdout, "netflow5\nnetflow9\n") {
		t.Errorf("completions %q, want netflow5 and netflow9", stdout)
	}
}
