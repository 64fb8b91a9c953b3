package conformance

import (
	"encoding/xml"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/capturetest"
)

// difference is how many records of a capture only the other program sees, and how
// many only we, and why neither is our mistake.
type difference struct {
	other, ours int
	reason      string
}

// dissected is a capture and what tshark makes of its datagrams, those with templates
// included.
type dissected struct {
	*decoded
	packets []node
}

// dissectAll asks tshark about all captures at once.
func dissectAll(t *testing.T) (list []dissected) {
	t.Helper()
	captures := decodeAll(t)
	var all []datagram
	for _, c := range captures {
		all = append(all, c.all()...)
	}
	packets := dissect(t, writePcap(t, all))
	if len(packets) != len(all) {
		t.Fatalf("tshark sees %d packets of %d", len(packets), len(all))
	}
	for _, c := range captures {
		n := len(c.all())
		list = append(list, dissected{c, packets[:n]})
		packets = packets[n:]
	}
	return list
}

func TestCapturesAreAsTsharkSeesThem(t *testing.T) {
	captures := dissectAll(t)
	for _, test := range []struct {
		promise   string
		fewest    int // of what is compared, for the test to mean anything
		read      func(t *testing.T, c dissected) (theirs, ours []string)
		justified map[string]difference
	}{
		{"every NetFlow and IPFIX record", 1900, readFlows, netflowDiffers},
		{"every sFlow sample", 57, readSamples, sflowDiffers},
		{"every block of interface counters", 190, readCounters, counterDiffers},
	} {
		t.Run(test.promise, func(t *testing.T) {
			compared := 0
			for _, c := range captures {
				theirs, ours := test.read(t, c)
				compared += len(theirs)
				report(t, c.decoded, theirs, ours, test.justified)
			}
			if compared < test.fewest {
				t.Errorf("only %d compared, want at least %d: is INDEX.md read right?", compared, test.fewest)
			}
		})
	}
}

// report fails the test unless want and got are the same in any order, but for the
// justified difference.
func report(t *testing.T, c *decoded, want, got []string, justified map[string]difference) {
	t.Helper()
	onlyWant, onlyGot := without(want, got), without(got, want)
	allowed := justified[filepath.Base(c.Path)]
	if len(onlyWant) != allowed.other || len(onlyGot) != allowed.ours {
		t.Errorf("%s: %d are only theirs, want %d, and %d only ours, want %d (%s):\n-%s\n+%s", c.Path, len(onlyWant), allowed.other,
			len(onlyGot), allowed.ours, allowed.reason, strings.Join(onlyWant, "\n-"), strings.Join(onlyGot, "\n+"))
	}
}

// without returns what is in list more often than in others.
func without(list, others []string) (rest []string) {
	count := map[string]int{}
	for _, s := range others {
		count[s]++
	}
	for _, s := range list {
		if count[s]--; count[s] < 0 {
			rest = append(rest, s)
		}
	}
	return rest
}

// node is a part of tshark's PDML: a packet, a protocol in it, or a field, and what is
// in that.
type node struct {
	Name   string `xml:"name,attr"`
	Show   string `xml:"show,attr"`
	Protos []node `xml:"proto"`
	Fields []node `xml:"field"`
}

// dissect returns what tshark makes of each packet of a pcap file.
func dissect(t *testing.T, pcap string) []node {
	t.Helper()
	tshark := capturetest.Program(t, "tshark")
	output, err := exec.CommandContext(t.Context(), tshark, "-n", "-r", pcap, "-T", "pdml",
		"-d", fmt.Sprintf("udp.port==%d,cflow", netflowPort), "-d", fmt.Sprintf("udp.port==%d,sflow", sflowPort)).Output()
	if err != nil {
		t.Fatalf("tshark %s: %v", pcap, err)
	}
	var document struct {
		Packets []node `xml:"packet"`
	}
	if err := xml.Unmarshal(output, &document); err != nil {
		t.Fatalf("read what tshark says about %s: %v", pcap, err)
	}
	return document.Packets
}

// proto returns the protocol of that name, nil if the packet has none.
func (n *node) proto(name string) *node {
	for i := range n.Protos {
		if n.Protos[i].Name == name {
			return &n.Protos[i]
		}
	}
	return nil
}

// each calls visit with n and everything in it, outer ones first.
func (n *node) each(visit func(*node)) {
	visit(n)
	for i := range n.Protos {
		n.Protos[i].each(visit)
	}
	for i := range n.Fields {
		n.Fields[i].each(visit)
	}
}

// values are the fields in a record by their names.
type values map[string]string

// values returns the fields in a record, and those that it has a second time: what
// RFC 5103 calls the reverse direction of a biflow.
func (n *node) values() (first, second values) {
	first, second = values{}, values{}
	n.each(func(f *node) {
		if _, known := first[f.Name]; !known {
			first[f.Name] = f.Show
		} else if _, known := second[f.Name]; !known {
			second[f.Name] = f.Show
		}
	})
	return first, second
}

// text returns the first of the fields that the record has.
func (v values) text(names ...string) string {
	for _, name := range names {
		if s := v[name]; s != "" {
			return s
		}
	}
	return ""
}

// known is text, but for MAC addresses of zeros, which stand for none.
func (v values) known(names ...string) string {
	for _, name := range names {
		if s := v[name]; s != "" && s != "00:00:00:00:00:00" {
			return s
		}
	}
	return ""
}

// number returns the first of the fields that is not 0.
func (v values) number(t *testing.T, names ...string) uint64 {
	t.Helper()
	for _, name := range names {
		s, ok := v[name]
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			t.Fatalf("%s of tshark: %v", name, err)
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

// milliseconds returns a time since 1970 or a duration; ok tells whether there is one.
func (v values) milliseconds(t *testing.T, name string) (ms int64, ok bool) {
	t.Helper()
	s, ok := v[name]
	if !ok {
		return 0, false
	}
	if at, err := time.Parse("Jan _2, 2006 15:04:05.000000000 MST", s); err == nil {
		return at.UnixMilli(), true
	}
	seconds, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(seconds+fraction[:3], 10, 64)
	if err != nil {
		t.Fatalf("%s of tshark: %v", name, err)
	}
	return n, true
}

var (
	aRecord          = regexp.MustCompile(`^(Flow|pdu) \d`)
	aSet             = regexp.MustCompile(`^(?:Flow)?Set \d+ \[id=(\d+)\] \(\d+ flows\)`)
	aTemplate        = regexp.MustCompile(`^Template \(Id = (\d+)`)
	anOptionTemplate = regexp.MustCompile(`^Options Template \(Id = (\d+)`)
)
