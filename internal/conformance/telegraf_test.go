package conformance

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/flow"
)

// line is a line of Telegraf's output (influx line protocol): its fields, without
// quotes and the marks of types.
type line struct{ fields map[string]string }

func (l line) isFlow() bool { return l.fields["src"] != "" }

var telegrafField = regexp.MustCompile(`[ ,](\w+)=(?:"([^"]*)"|(\d+)u)`)

// readTelegraf returns the lines of an expected.out.
func readTelegraf(t *testing.T, path string) (lines []line) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(text)) {
		l := line{map[string]string{}}
		for _, m := range telegrafField.FindAllStringSubmatch(text, -1) {
			l.fields[m[1]] = m[2] + m[3]
		}
		lines = append(lines, l)
	}
	return lines
}

// answer returns the line that Telegraf would write for the other direction of a
// biflow, which it has under the numbers of the elements; ok tells whether there is
// traffic in it.
func (l line) answer(t *testing.T) (back line, ok bool) {
	packets, ok := l.fields["type_29305_86"]
	if !ok || number(t, packets) == 0 {
		return back, false
	}
	f := l.fields
	return line{map[string]string{
		"src": f["dst"], "dst": f["src"], "src_port": f["dst_port"], "dst_port": f["src_port"], "protocol": f["protocol"],
		"in_total_packets": decimal(number(t, packets)), "in_total_bytes": decimal(number(t, f["type_29305_85"])), "src_tos": f["type_29305_5"],
		"flow_start_ms": f["flow_start_ms"], "flow_end_ms": f["flow_end_ms"],
	}}, true
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatalf("number of Telegraf: %v", err)
	}
	return n
}

func decimal[N uint32 | uint64 | int64](n N) string { return strconv.FormatUint(uint64(n), 10) }

// disagreements returns the fields of a line whose value is another one of ours.
func (l line) disagreements(value func(field string) (ours string, kept bool)) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(l.fields)) {
		if ours, kept := value(name); kept && ours != l.fields[name] {
			list = append(list, name+": Telegraf "+l.fields[name]+", we "+ours)
		}
	}
	return list
}

// telegrafCases are the folders of Telegraf's test cases that hold flows or counters,
// how many of its lines are compared, and where Telegraf chooses otherwise. Those with
// options data alone are not here: what we keep of it (rates, names of applications)
// is not in a record; and a discarded packet is not a flow.
var telegrafCases = []struct {
	folder          string
	flows, counters int
	except          []string // fields
	reason          string
}{
	{folder: "ipfix_example", flows: 29},
	{folder: "ipfix_pen_35632", flows: 2},
	{folder: "issue_13305", flows: 2},
	{folder: "issue_14370", flows: 2},
	{folder: "netflow_v5_example", flows: 8},
	{folder: "netflow_v9_example", flows: 8, except: []string{"flow_start_ms", "flow_end_ms"},
		reason: "the flows end a day after the datagram was written: the time of reception is taken"},
	{folder: "sflow_issue_15918", flows: 6, counters: 1, except: []string{"in_snmp", "direction"},
		reason: "Telegraf takes the data source for the input, and for egress what the source is not the input of; tshark does not"},
	{folder: "sflow_issue_18876", counters: 1},
	{folder: "sflow_v5_example", counters: 1},
}

func TestRecordsAreAsTelegrafSeesThem(t *testing.T) {
	captures := decodeAll(t)
	for _, test := range telegrafCases {
		t.Run(test.folder, func(t *testing.T) {
			folder := filepath.Join(capturetest.Dir(t), "telegraf/plugins/inputs/netflow/testcases", test.folder)
			var datagrams []datagram
			for _, c := range captures {
				if filepath.Dir(c.Path) == folder {
					datagrams = append(datagrams, c.datagrams...)
				}
			}
			lines := readTelegraf(t, filepath.Join(folder, "expected.out"))
			for _, l := range lines {
				if l.isFlow() {
					maps.DeleteFunc(l.fields, func(name, _ string) bool { return slices.Contains(test.except, name) })
				}
			}
			flows, counters := compareTelegraf(t, lines, datagrams)
			if flows != test.flows || counters != test.counters {
				t.Errorf("%d flows and %d blocks of counters of Telegraf, want %d and %d", flows, counters, test.flows, test.counters)
			}
		})
	}
}

// compareTelegraf finds the record of ours for every line of Telegraf.
func compareTelegraf(t *testing.T, lines []line, datagrams []datagram) (flows, counters int) {
	t.Helper()
	for _, l := range lines {
		switch {
		case l.fields["interface_type"] != "":
			counters++
			checkCounters(t, l, datagrams)
		case l.isFlow():
			flows++
			findFlow(t, l, datagrams)
			if back, ok := l.answer(t); ok {
				findFlow(t, back, datagrams)
			}
		}
	}
	for _, d := range datagrams {
		for _, r := range d.flows {
			t.Errorf("Telegraf does not have %+v", ours(&r))
		}
	}
	return flows, counters
}

// findFlow takes the record that agrees with the line out of the datagrams, or says
// where the closest one disagrees.
func findFlow(t *testing.T, l line, datagrams []datagram) {
	t.Helper()
	closest := []string{"there is no record left"}
	best := len(l.fields)
	for i := range datagrams {
		d := &datagrams[i]
		for j := range d.flows {
			list := l.disagreements(func(field string) (string, bool) {
				describe, ok := flowFields[field]
				if !ok {
					checkIgnored(t, field)
					return "", false
				}
				return describe(&d.flows[j], d, l), true
			})
			if len(list) == 0 {
				d.flows = slices.Delete(slices.Clone(d.flows), j, j+1)
				return
			}
			if len(list) < best {
				closest, best = list, len(list)
			}
		}
	}
	t.Errorf("%v:\n\t%s", l.fields, strings.Join(closest, "\n\t"))
}

func checkCounters(t *testing.T, l line, datagrams []datagram) {
	t.Helper()
	for i := range datagrams {
		for j := range datagrams[i].counters {
			block := &datagrams[i].counters[j]
			if decimal(block.Interface) != l.fields["interface"] {
				continue
			}
			for _, problem := range l.disagreements(func(field string) (string, bool) { return counterField(t, field, block) }) {
				t.Errorf("interface %d: %s", block.Interface, problem)
			}
			return
		}
	}
	t.Errorf("no counters of interface %s", l.fields["interface"])
}

func counterField(t *testing.T, field string, block *flow.Counters) (string, bool) {
	t.Helper()
	describe, ok := counterFields[field]
	if !ok {
		checkIgnored(t, field)
		return "", false
	}
	return describe(block), true
}

// checkIgnored fails the test for a field of which nobody has decided whether it is
// compared.
func checkIgnored(t *testing.T, field string) {
	t.Helper()
	for _, pattern := range ignoredFields {
		if pattern.MatchString(field) {
			return
		}
	}
	t.Errorf("Telegraf's field %s is neither compared nor ignored", field)
}
