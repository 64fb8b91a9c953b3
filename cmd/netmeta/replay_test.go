package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplayReportsWhatItSentOfEachFile(t *testing.T) {
	to := listenUDP(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "ipfix.dat")
	message := []byte{0, 10, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4}
	if err := os.WriteFile(path, bytes.Repeat(message, 3), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := execute(t, "replay", "--to", to, "--output", "json", path)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"files":[{"path":"`+path+`","datagrams":3,"bytes":60,"protocols":{"ipfix":3}}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report differs (-want +got):\n%s", diff)
	}
	table, _, err := execute(t, "replay", "--to", to, path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table, "ipfix 3") {
		t.Errorf("table\n%s\ndoes not count three IPFIX datagrams", table)
	}
}

func TestReplayFailsWithoutSomethingToRead(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pcap")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("no flow datagram"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".missing", notes} {
		if _, _, err := execute(t, "replay", "--to", "127.0.0.1", path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one about %s", err, path)
		}
	}
	if _, _, err := execute(t, "replay"); err == nil {
		t.Error("no error without a file")
	}
}
