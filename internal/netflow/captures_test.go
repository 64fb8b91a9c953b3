package netflow

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/replay"
)

// payloads returns the datagrams of a capture.
func payloads(t *testing.T, path string) (list [][]byte) {
	t.Helper()
	for datagram, err := range replay.Datagrams(path) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, datagram.Payload)
	}
	return list
}

// decodeCaptures returns the captures, and the records of each by its path, decoded
// after everything that its exporter sent in any capture, so that no template is
// missing that is there.
func decodeCaptures(t *testing.T) ([]capturetest.Capture, map[string][]flow.Record) {
	t.Helper()
	captures := capturetest.Of(t, "nf", "ipfix")
	devices := make(map[string][]string)
	for _, c := range captures {
		devices[c.Device()] = append(devices[c.Device()], c.Path)
	}
	decoded := make(map[string][]flow.Record)
	for _, paths := range devices {
		var records []flow.Record
		decoder := NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) { records = append(records, *r) })
		for range 2 {
			for _, path := range paths {
				records = nil
				for _, datagram := range payloads(t, path) {
					// Some captures lack a template or are broken on purpose.
					_ = decoder.Decode(datagram, source, received)
				}
				decoded[path] = slices.Clone(records)
			}
		}
	}
	return captures, decoded
}

func TestCapturesYieldAtLeastTheRecordsOfTheReferenceDecoder(t *testing.T) {
	captures, decoded := decodeCaptures(t)
	for _, c := range captures {
		want, exact := c.Readable()
		if got := len(decoded[c.Path]); got < want || exact && got != want {
			t.Errorf("%s: %d records, want %d", c.Path, got, want)
		}
	}
}

// Of these captures, a decoder that knows fewer counters, or lets the last one win,
// reports records without bytes.
func TestCapturesKeepTheCountersOfEveryKindOfExporter(t *testing.T) {
	_, decoded := decodeCaptures(t)
	for _, test := range []struct {
		file    string
		counted int // records with bytes
	}{
		{"netflow9_test_cisco_asa_1_data.dat", 14},                            // octetTotalCount
		{"netflow9_test_cisco_asa_2_data.dat", 15},                            // initiatorOctets and responderOctets
		{"ipfix_test_yaf_data45841.dat", 1},                                   // octetTotalCount
		{"ipfix_test_yaf_data45873.dat", 1},                                   // octetTotalCount
		{"netflow9_test_fortigate_fortios_521_data257.dat", 1},                // postOctetDeltaCount is 0
		{"netflow9_test_0length_fields_tpl_data.dat", 5},                      // postOctetDeltaCount is 0; the other direction had no traffic
		{"netflow9_test_iptnetflow_reduced_size_encoding_tpldata260.dat", 12}, // counters of 4 bytes
	} {
		var counted, total int
		for path, records := range decoded {
			if filepath.Base(path) != test.file {
				continue
			}
			for _, r := range records {
				total++
				if r.Bytes > 0 {
					counted++
				}
			}
		}
		if counted < test.counted {
			t.Errorf("%s: %d of %d records have bytes, want %d", test.file, counted, total, test.counted)
		}
	}
}

// telegrafField finds the fields of a line of influx line protocol.
var telegrafField = regexp.MustCompile(`[ ,](\w+)=("[^"]*"|\d+)`)

func TestCapturesAgreeWithTelegraf(t *testing.T) {
	_, decoded := decodeCaptures(t)
	for _, name := range []string{
		"ipfix_example", "ipfix_pen_35632", "issue_13305", "issue_14370", "netflow_v5_example", "netflow_v9_example",
	} {
		folder := filepath.Join(capturetest.Dir(t), "telegraf/plugins/inputs/netflow/testcases", name)
		b, err := os.ReadFile(filepath.Join(folder, "expected.out"))
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "netflow,") {
				want = append(want, telegrafFlows(line)...)
			}
		}
		for path, records := range decoded {
			if filepath.Dir(path) != folder {
				continue
			}
			for _, r := range records {
				got = append(got, fmt.Sprintf("%v:%d -> %v:%d bytes=%d packets=%d", r.SrcAddr, r.SrcPort, r.DstAddr, r.DstPort, r.Bytes, r.Packets))
			}
		}
		if len(want) == 0 {
			t.Fatalf("%s: expected.out has no flows", name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-telegraf +ours)\n%s", name, diff)
		}
	}
}

// telegrafFlows returns the flow of a line, and that of its reverse direction, which
// Telegraf has in hexadecimal under the numbers of its elements.
func telegrafFlows(line string) []string {
	fields := map[string]string{"src_port": "0", "dst_port": "0", "bytes": "0", "packets": "0"}
	for _, m := range telegrafField.FindAllStringSubmatch(line, -1) {
		name := strings.TrimPrefix(strings.TrimPrefix(m[1], "in_"), "total_")
		fields[name] = strings.Trim(m[2], `"`)
	}
	flows := []string{fmt.Sprintf("%s:%s -> %s:%s bytes=%s packets=%s", fields["src"], fields["src_port"],
		fields["dst"], fields["dst_port"], fields["bytes"], fields["packets"])}
	if octets, ok := fields["type_29305_85"]; ok {
		var bytes, packets uint64
		fmt.Sscan(octets, &bytes)
		fmt.Sscan(fields["type_29305_86"], &packets)
		flows = append(flows, fmt.Sprintf("%s:%s -> %s:%s bytes=%d packets=%d", fields["dst"], fields["dst_port"],
			fields["src"], fields["src_port"], bytes, packets))
	}
	return flows
}
