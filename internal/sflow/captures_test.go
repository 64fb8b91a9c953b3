package sflow_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

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

// tcpdump's text of a flow sample: the rate on its first line, and below it the
// length of the packet.
var tcpdumpSample = regexp.MustCompile(`flow sample \(.*, rate (\d+),|protocol Ethernet \(1\), length (\d+),`)

func TestFlowsAreThoseThatTcpdumpSees(t *testing.T) {
	dir := capturetest.Dir(t)
	for _, name := range []string{"sflow-print-v6", "sflow_expanded"} {
		path := filepath.Join(dir, "tcpdump", "tests", name)
		text, err := os.ReadFile(path + ".out")
		if err != nil {
			t.Fatal(err)
		}
		type sample struct{ rate, length string }
		var want, got []sample
		for _, match := range tcpdumpSample.FindAllStringSubmatch(string(text), -1) {
			if match[1] != "" {
				want = append(want, sample{rate: match[1]})
			} else {
				want[len(want)-1].length = match[2]
			}
		}
		flows, _ := decodeFile(t, path+".pcap")
		for _, r := range flows {
			got = append(got, sample{fmt.Sprint(r.SamplingRate), fmt.Sprint(r.Bytes)})
		}
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(sample{})); diff != "" {
			t.Errorf("%s differs (-tcpdump +got):\n%s", name, diff)
		}
	}
}

// telegrafField is a field of Telegraf's line protocol.
var telegrafField = regexp.MustCompile(`([a-z0-9_]+)="?([^",]*[^",u ])`)

// TestFlowsAreThoseThatTelegrafSees compares what Telegraf writes of a datagram with
// six flow samples, IPv4 and IPv6, UDP and behind hop-by-hop options.
func TestFlowsAreThoseThatTelegrafSees(t *testing.T) {
	dir := filepath.Join(capturetest.Dir(t), "telegraf", "plugins", "inputs", "netflow", "testcases", "sflow_issue_15918")
	text, err := os.ReadFile(filepath.Join(dir, "expected.out"))
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{"src", "dst", "src_port", "dst_port", "l2_bytes", "sampling_interval", "ttl", "vlan_src", "vlan_dst", "in_src_mac", "out_dst_mac"}
	var want, got [][]string
	for line := range strings.Lines(string(text)) {
		values := map[string]string{"src_port": "0", "dst_port": "0"}
		for _, match := range telegrafField.FindAllStringSubmatch(line, -1) {
			values[match[1]] = match[2]
		}
		if values["dst"] == "" {
			continue // a counter sample
		}
		row := make([]string, len(fields))
		for i, field := range fields {
			row[i] = values[field]
		}
		want = append(want, row)
	}
	flows, _ := decodeFile(t, filepath.Join(dir, "message.bin"))
	for _, r := range flows {
		row := []string{r.SrcAddr.String(), r.DstAddr.String()}
		for _, v := range []uint64{uint64(r.SrcPort), uint64(r.DstPort), r.Bytes, r.SamplingRate, uint64(r.IPTTL), uint64(r.SrcVlan), uint64(r.DstVlan)} {
			row = append(row, fmt.Sprint(v))
		}
		got = append(got, append(row, macString(r.SrcMac), macString(r.DstMac)))
	}
	byDestination := func(a, b []string) int { return cmp.Compare(a[1], b[1]) }
	slices.SortFunc(want, byDestination)
	slices.SortFunc(got, byDestination)
	if diff := gocmp.Diff(want, got); diff != "" || len(got) != 6 {
		t.Errorf("%d flows of %v differ (-telegraf +got):\n%s", len(got), fields, diff)
	}
}

func macString(mac uint64) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(mac>>40), byte(mac>>32), byte(mac>>24), byte(mac>>16), byte(mac>>8), byte(mac))
}
