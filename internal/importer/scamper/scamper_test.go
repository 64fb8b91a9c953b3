package scamper_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/importer/scamper"
)

// measured returns what a real scamper wrote in a chain of four routers: every method of
// trace and ping, over IPv4 and IPv6, and its own JSON of it.
func measured(t testing.TB) (warts, inJSON string) {
	t.Helper()
	text, err := os.ReadFile("testdata/measurements.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/measurements.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b), string(lines)
}

// inBoth leaves out what only warts has: the list's number and monitor, and why pings end.
func inBoth(traces []importertest.Flow) []importertest.Flow {
	for _, f := range traces {
		delete(f, "ListID")
		delete(f, "Monitor")
		if f["Kind"] == "PING" {
			delete(f, "StopReason")
		}
	}
	return traces
}

func decode(t testing.TB, content string) ([]importertest.Flow, *importer.Report) {
	t.Helper()
	return importertest.Decode(t, scamper.Format(scamper.Options{Monitor: "given"}), content)
}

func TestWartsAndScampersOwnJSONOfItAreTheSameTraces(t *testing.T) {
	warts, inJSON := measured(t)
	fromWarts, report := decode(t, warts)
	fromJSON, reportJSON := decode(t, inJSON)
	if diff := cmp.Diff(inBoth(fromJSON), inBoth(fromWarts)); diff != "" {
		t.Errorf("JSON and warts differ (-JSON +warts):\n%s", diff)
	}
	want := map[importer.Reason]uint64{scamper.OtherType: 1} // a tracelb
	for _, r := range []*importer.Report{report, reportJSON} {
		if got := importertest.Reasons(r); r.Sent != 28 || !cmp.Equal(got, want) {
			t.Errorf("%d are sent, and left out are %v", r.Sent, got)
		}
	}
}

func TestTracesHaveWhatWasMeasured(t *testing.T) {
	warts, _ := measured(t)
	traces, _ := decode(t, warts)
	find := func(fields string) importertest.Flow {
		i := slices.IndexFunc(traces, func(f importertest.Flow) bool {
			return !slices.ContainsFunc(strings.Fields(fields), func(pair string) bool {
				name, value, _ := strings.Cut(pair, "=")
				return f[name] != value && f[name] != json.Number(value)
			})
		})
		if i < 0 {
			t.Fatalf("there is no trace with %s", fields)
		}
		return traces[i]
	}
	find("UserID=77").Want(t, "Kind=TRACE Method=icmp-echo-paris StopReason=completed Monitor=ams1 List=paths ListID=7 CycleID=9 SrcAddr=10.88.0.1 DstAddr=10.88.3.2 Sent=4 Replies=4")
	if got := find("UserID=77")["HopAddress"]; !cmp.Equal(got, []any{"10.88.0.2", "10.88.1.2", "10.88.2.2", "10.88.3.2"}) {
		t.Errorf("hops are %v", got)
	}
	find("StopReason=hoplimit").Want(t, "Replies=2")
	find("StopReason=gaplimit").Want(t, "Replies= HopAddress= Sent=5 DstAddr=fd88:3::2")
	find("DstAddr=10.88.3.99").Want(t, "Kind=PING Sent=2 Replies= RTTAvg=")
	find("Method=tcp-ack Kind=PING").Want(t, "Sent=2 Replies=2")
}

// object returns a warts object.
func object(kind uint16, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	b := binary.BigEndian.AppendUint16(nil, 0x1205)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

func u16(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// params returns flags and the values behind them.
func params(flags []int, values ...[]byte) []byte {
	highest := slices.Max(flags)
	b := make([]byte, (highest+6)/7)
	for _, f := range flags {
		b[(f-1)/7] |= 1 << ((f - 1) % 7)
	}
	for i := range b[:len(b)-1] {
		b[i] |= 0x80
	}
	v := slices.Concat(values...)
	return slices.Concat(b, u16(uint16(len(v))), v)
}

var (
	start   = slices.Concat(u32(1700000000), u32(5))
	source  = []byte{4, 1, 192, 0, 2, 1}
	target  = []byte{4, 1, 203, 0, 113, 7}
	toThere = params([]int{5, 6, 11, 26, 27}, start, []byte{1, 5}, source, target)
)

// The labels 16001 and 24 at the first hop.
func labelled() []byte {
	stack := slices.Concat(u32(16001<<12|1), u32(24<<12|1<<8|1))
	extension := slices.Concat(u16(uint16(len(stack))), []byte{1, 1}, stack)
	other := slices.Concat(u16(4), []byte{2, 1}, u32(0))
	hop := params([]int{2, 3, 5, 6, 7, 17, 18}, []byte{3, 60, 1}, u32(1500), []byte{11, 0}, u16(uint16(len(extension)+len(other))), other, extension, []byte{4, 1, 198, 51, 100, 1})
	last := params([]int{2, 3, 5, 6, 7, 18}, []byte{4, 59, 0}, u32(2500), []byte{3, 3}, []byte{0}, u32(1))
	return object(6, toThere, u16(2), hop, last, u16(0))
}

func TestLabelsOfMPLSBelongToTheirHop(t *testing.T) {
	traces, _ := decode(t, string(labelled()))
	if len(traces) != 1 {
		t.Fatalf("%d traces", len(traces))
	}
	traces[0].Want(t, "Time=1700000000 Monitor=given Method=udp-paris StopReason=completed")
	for field, want := range map[string][]any{
		"MPLSHop": {1, 1}, "MPLSLabel": {16001, 24}, "HopTTL": {3, 4}, "HopAttempt": {2, 1}, "HopRTT": {1500, 2500},
		"HopICMPType": {11, 3}, "HopICMPCode": {0, 3}, "HopReplyTTL": {60, 59},
	} {
		if got := texts(traces[0][field]); !slices.Equal(got, texts(want)) {
			t.Errorf("%s is %v, want %v", field, got, want)
		}
	}
	program, err := exec.LookPath("sc_warts2json")
	if err != nil {
		return // the comparison with real files is a test of its own
	}
	path := filepath.Join(t.TempDir(), "labelled.warts")
	if err := os.WriteFile(path, labelled(), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := exec.Command(program, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, _ := decode(t, string(lines))
	if diff := cmp.Diff(inBoth(fromJSON), inBoth(traces)); diff != "" {
		t.Errorf("sc_warts2json reads something else (-JSON +warts):\n%s", diff)
	}
}

// As scamper wrote them before 2009: addresses are objects, counted from 1.
func oldFile() []byte {
	address := func(n byte, last byte) []byte { return object(5, []byte{n, 1, 192, 0, 2, last}) }
	hop := func(address uint32, ttl byte) []byte {
		return params([]int{1, 2, 6}, u32(address), []byte{ttl}, u32(1000))
	}
	trace := func(hops ...[]byte) []byte {
		return object(6, params([]int{3, 4, 5, 6, 11}, u32(1), u32(2), start, []byte{1, 2}), u16(uint16(len(hops))), slices.Concat(hops...), u16(0))
	}
	return slices.Concat(address(1, 101), address(2, 102), address(3, 103), trace(hop(3, 1), hop(2, 2)),
		address(4, 104), trace(hop(4, 1)), trace(hop(9, 1)))
}

func TestAddressesThatStandBeforeTheirTraces(t *testing.T) {
	traces, report := decode(t, string(oldFile()))
	if len(traces) != 2 {
		t.Fatalf("%d traces", len(traces))
	}
	traces[0].Want(t, "SrcAddr=192.0.2.101 DstAddr=192.0.2.102 Method=udp")
	for i, want := range [][]any{{"192.0.2.103", "192.0.2.102"}, {"192.0.2.104"}} {
		if got := texts(traces[i]["HopAddress"]); !slices.Equal(got, texts(want)) {
			t.Errorf("hops of trace %d are %v, want %v", i, got, want)
		}
	}
	if got := importertest.Reasons(report)[scamper.UnknownAddress]; got != 1 {
		t.Errorf("%d traces name an address that is not there", got)
	}
}

func TestWhatIsBrokenCostsNothingElse(t *testing.T) {
	good := labelled()
	for name, test := range map[string]struct {
		bad    []byte
		reason importer.Reason
	}{
		"values that end too early":      {object(6, params([]int{5, 26}, start, []byte{4, 1, 192})), importer.BadValue},
		"flags without an end":           {object(6, []byte{0xff, 0xff}), importer.BadValue},
		"hops that are not there":        {object(6, toThere, u16(1000)), importer.BadValue},
		"more hops than are stored":      {object(6, toThere, u16(65535)), scamper.TooManyHops},
		"replies that are not there":     {object(7, params([]int{5, 20, 21}, start, source, target), u16(65535)), importer.BadValue},
		"an address that was not named":  {object(6, params([]int{5, 26, 27}, start, source, []byte{0}, u32(1<<32-1)), u16(0)), scamper.UnknownAddress},
		"no time":                        {object(6, params([]int{26, 27}, source, target), u16(0)), importer.BadTime},
		"no destination":                 {object(6, params([]int{5, 26}, start, source), u16(0)), importer.BadValue},
		"a destination of Ethernet":      {object(6, params([]int{5, 27}, start, []byte{6, 3, 1, 2, 3, 4, 5, 6}), u16(0)), importer.BadValue},
		"an empty object":                {object(6), importer.BadValue},
		"a list without a name's end":    {object(1, u32(1), u32(1), []byte("name")), importer.BadValue},
		"an address object out of order": {object(5, []byte{77, 1, 192, 0, 2, 1}), importer.BadValue},
		"a type that is not known":       {object(0x4711, []byte("whatever")), scamper.OtherType},
	} {
		traces, report := decode(t, string(slices.Concat(good, test.bad, good)))
		if got := importertest.Reasons(report); len(traces) != 2 || !cmp.Equal(got, map[importer.Reason]uint64{test.reason: 1}) {
			t.Errorf("%s: %d traces around it, and %v", name, len(traces), got)
		}
	}
	for name, bad := range map[string]string{"another magic number": "\x12\x06\x00\x06\x00\x00\x00\x00", "a length that cannot be": "\x12\x05\x00\x06\xff\xff\xff\xff"} {
		if err := imported(t, new(memory), slices.Concat(good, []byte(bad), good)); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrokenLinesOfJSONCostNothingElse(t *testing.T) {
	_, inJSON := measured(t)
	traces, report := decode(t, inJSON+`{"type":"trace","dst":"nowhere"}`+"\n"+`{"type":"trace",`+"\n"+`{"type":"trace","dst":"192.0.2.1","start":{"sec":1}}`+"\n"+inJSON)
	want := map[importer.Reason]uint64{importer.BadValue: 2, importer.BadTime: 1, scamper.OtherType: 2}
	if got := importertest.Reasons(report); len(traces) != 56 || !cmp.Equal(got, want) {
		t.Errorf("%d traces, and left out are %v, want %v", len(traces), got, want)
	}
	traces[0].Want(t, "Monitor=vm List=paths CycleID=9")
}

func TestGzipIsReadToo(t *testing.T) {
	warts, _ := measured(t)
	traces, _ := decode(t, gzipped(t, warts))
	if len(traces) != 28 {
		t.Errorf("%d traces", len(traces))
	}
}
