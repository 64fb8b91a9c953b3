//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestWhatOtherCollectorsStoredIsCounted(t *testing.T) {
	if n, err := parseStored("Ident: none\nFlows: 2100\nFlows_tcp: 2000\n"); err != nil || n != 2100 {
		t.Errorf("nfdump: %d flows, error %v, want 2100", n, err)
	}
	if _, err := parseStored("nfdump: no such file\n"); err == nil {
		t.Error("nfdump: no error without a summary")
	}
	n, err := parsePackets(strings.NewReader(`{"ip_src": "192.0.2.1", "packets": 95, "bytes": 142500}` + "\n" + `{"packets": 5}` + "\n"))
	if err != nil || n != 100 {
		t.Errorf("pmacct: %d packets, error %v, want 100", n, err)
	}
	if _, err := parsePackets(strings.NewReader("ERROR: no such pipe\n")); err == nil {
		t.Error("pmacct: no error for what is not JSON")
	}
}
