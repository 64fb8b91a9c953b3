package sflow_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/replay"
)

// decodeFile returns the flows of a capture's sFlow datagrams, and the problems.
func decodeFile(t *testing.T, path string) (flows []flow.Record, problems []error) {
	t.Helper()
	for datagram, err := range replay.Datagrams(path) {
		if err != nil {
			t.Fatal(err)
		}
		if datagram.Protocol != replay.SFlow {
			continue
		}
		more, err := decode(t, datagram.Payload)
		flows = append(flows, more...)
		if err != nil {
			problems = append(problems, err)
		}
	}
	return flows, problems
}

// malformed are the captures that contradict themselves: a length that is longer
// than what is there, or no header.
var malformed = []string{
	"SFlowTestPacket5.bin", "SFlowTestPacket8.bin", "SFlowTestPacket11.bin", "sflow_print-segv.pcap",
}

func TestEveryFlowOfRealExportersIsRead(t *testing.T) {
	files, total := 0, 0
	for _, c := range capturetest.Of(t, "sflow5") {
		files++
		flows, problems := decodeFile(t, c.Path)
		total += len(flows)
		if len(flows) < c.Records {
			t.Errorf("%s: %d flows, want %d", c.Path, len(flows), c.Records)
		}
		if expected := slices.Contains(malformed, filepath.Base(c.Path)); expected != (len(problems) > 0) {
			t.Errorf("%s: problems expected: %v, found: %v", c.Path, expected, problems)
		}
		for i := range flows {
			checkPromises(t, &flows[i])
		}
	}
	if files < 29 || total < 57 {
		t.Errorf("only %d flows in %d files: is INDEX.md read right?", total, files)
	}
}
