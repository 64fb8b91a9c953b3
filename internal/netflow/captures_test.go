package netflow

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// captureDir returns the directory of captures of real exporters, which are not
// part of the repository.
func captureDir(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("NETMETA_SHARED")
	if shared == "" {
		if os.Getenv("NETMETA_REQUIRE") == "all" {
			t.Fatal("NETMETA_REQUIRE=all, but NETMETA_SHARED does not name the directory of captures")
		}
		t.Skip("NETMETA_SHARED does not name the directory of captures")
	}
	return filepath.Join(shared, "captures")
}

// capture is one file of captured datagrams.
type capture struct {
	path    string // from the directory of captures
	records int    // that another decoder found
}

// captures lists the NetFlow and IPFIX files of INDEX.md.
func captures(t *testing.T, dir string) []capture {
	t.Helper()
	index, err := os.Open(filepath.Join(dir, "INDEX.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	var list []capture
	var section string
	for lines := bufio.NewScanner(index); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "## "); ok {
			section = name
		}
		columns := strings.Split(lines.Text(), "|")
		if len(columns) < 8 || !strings.Contains(columns[2], "nf") && !strings.Contains(columns[2], "ipfix") {
			continue
		}
		records, err := strconv.Atoi(strings.TrimSpace(columns[6]))
		if err != nil {
			t.Fatalf("INDEX.md: %s: %v", lines.Text(), err)
		}
		list = append(list, capture{filepath.Join(section, strings.TrimSpace(columns[1])), records})
	}
	if len(list) < 100 {
		t.Fatalf("INDEX.md lists only %d NetFlow and IPFIX captures", len(list))
	}
	return list
}

// templateSuffix is what tells the files of one exporter from each other: the rest
// of the name is the same, and template ids do not collide.
var templateSuffix = regexp.MustCompile(`(_|\.)(opttpl|tpls?|data|payload|template|init).*|(-|_)?\d*\.(bin|dat|pcap)$`)

func exporterOf(path string) string { return templateSuffix.ReplaceAllString(path, "") }

// datagrams returns the UDP payloads of a file.
func datagrams(t *testing.T, path string) [][]byte {
	t.Helper()
	if filepath.Ext(path) == ".pcap" {
		return pcapPayloads(t, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Three files hold several datagrams in a row.
	size := func(b []byte) int { return len(b) }
	switch filepath.Base(path) {
	case "netflow5.dat", "netflow-v5-1.dat":
		size = func(b []byte) int { return headerSizeV5 + recordSizeV5*int(b[3]) }
	case "ipfix.dat":
		size = func(b []byte) int { return int(binary.BigEndian.Uint16(b[2:])) }
	case "netflow-v9-1.dat":
		size = func(b []byte) int { return min(224, len(b)) }
	}
	var list [][]byte
	for len(b) > 0 {
		n := size(b)
		list = append(list, b[:n])
		b = b[n:]
	}
	return list
}

func pcapPayloads(t *testing.T, path string) [][]byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := pcapgo.NewReader(file)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	var list [][]byte
	for {
		b, _, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		if udp, ok := gopacket.NewPacket(b, reader.LinkType(), gopacket.Default).Layer(layers.LayerTypeUDP).(*layers.UDP); ok {
			list = append(list, udp.Payload)
		}
	}
}

// decodeCaptures returns the records of each capture, decoded after everything that
// its exporter sent in any capture, so that no template is missing that is there.
func decodeCaptures(t *testing.T, dir string, list []capture) map[string][]flow.Record {
	t.Helper()
	groups := make(map[string][]capture)
	for _, c := range list {
		groups[exporterOf(c.path)] = append(groups[exporterOf(c.path)], c)
	}
	result := make(map[string][]flow.Record)
	for _, group := range groups {
		var records []flow.Record
		decoder := NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) { records = append(records, *r) })
		for range 2 {
			for _, c := range group {
				records = nil
				for _, datagram := range datagrams(t, filepath.Join(dir, c.path)) {
					// Some captures lack a template or are broken on purpose.
					_ = decoder.Decode(datagram, source, received)
				}
				result[c.path] = slices.Clone(records)
			}
		}
	}
	return result
}

// Of these files another decoder invented records that are not there.
var invented = map[string]int{"netflow5_test_invalid01.dat": 30, "netflow5_test_invalid02.dat": 30}

func TestCapturesYieldAtLeastTheRecordsOfTheReferenceDecoder(t *testing.T) {
	dir := captureDir(t)
	list := captures(t, dir)
	decoded := decodeCaptures(t, dir, list)
	for _, c := range list {
		want := c.records
		if n, ok := invented[filepath.Base(c.path)]; ok {
			want = n
		}
		if got := len(decoded[c.path]); got < want {
			t.Errorf("%s: %d records, want %d", c.path, got, want)
		}
	}
}

// Of these captures, a decoder that knows fewer counters, or lets the last one win,
// reports records without bytes.
func TestCapturesKeepTheCountersOfEveryKindOfExporter(t *testing.T) {
	dir := captureDir(t)
	decoded := decodeCaptures(t, dir, captures(t, dir))
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
	dir := captureDir(t)
	decoded := decodeCaptures(t, dir, captures(t, dir))
	for _, name := range []string{
		"ipfix_example", "ipfix_pen_35632", "issue_13305", "issue_14370", "netflow_v5_example", "netflow_v9_example",
	} {
		folder := filepath.Join("telegraf/plugins/inputs/netflow/testcases", name)
		b, err := os.ReadFile(filepath.Join(dir, folder, "expected.out"))
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "netflow,") {
				want = append(want, telegrafFlow(line))
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

func telegrafFlow(line string) string {
	fields := map[string]string{"src_port": "0", "dst_port": "0", "bytes": "0", "packets": "0"}
	for _, m := range telegrafField.FindAllStringSubmatch(line, -1) {
		name := strings.TrimPrefix(strings.TrimPrefix(m[1], "in_"), "total_")
		fields[name] = strings.Trim(m[2], `"`)
	}
	return fmt.Sprintf("%s:%s -> %s:%s bytes=%s packets=%s", fields["src"], fields["src_port"],
		fields["dst"], fields["dst_port"], fields["bytes"], fields["packets"])
}
