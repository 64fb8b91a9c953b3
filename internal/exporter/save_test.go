package exporter

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// saved is when the golden file was.
var saved = time.Unix(1795435200, 0)

func golden(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/state-v1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t testing.TB, text string, now time.Time) *Table {
	t.Helper()
	table := NewTable(Config{})
	if err := table.Load(strings.NewReader(text), now); err != nil {
		t.Fatal(err)
	}
	return table
}

func save(t testing.TB, table *Table, now time.Time) string {
	t.Helper()
	var b bytes.Buffer
	if err := table.Save(&b, now); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatWasLoadedIsSavedTheSame(t *testing.T) {
	if got := save(t, load(t, golden(t), saved), saved); got != golden(t) {
		t.Errorf("saved\n%s\nwant\n%s", got, golden(t))
	}
}

func TestEverythingThatWasSaidIsThereAfterARestart(t *testing.T) {
	table := load(t, golden(t), saved)
	s := table.Get(netip.MustParseAddr("192.0.2.1"), saved.Add(time.Second))
	if s.segment != &table.established {
		t.Error("the exporter is a newcomer again")
	}
	options := s.Template(9, 1, 260)
	if options == nil || !options.Options || options.Scopes != 1 || options.MinSize != 8 || len(options.Fields) != 2 {
		t.Errorf("the template for options is %+v", options)
	}
	flows := s.Template(10, 4294967295, 256)
	want := Field{Enterprise: 29305, ID: 5, Length: 8}
	if flows == nil || flows.Options || !flows.Variable || flows.MinSize != 13 || flows.Fields[2] != want {
		t.Errorf("the template for flows is %+v", flows)
	}
	if rate, source := s.Rate(9, 1, 7, 0); rate != 1000 || source != pb.FlowMessage_RATE_OPTIONS {
		t.Errorf("rate %d from %v, want 1000 from options", rate, source)
	}
	if boot := s.Boot(1); boot != 1790000000123 {
		t.Errorf("boot %d, want 1790000000123", boot)
	}
	if name := s.Application(218103821); name != `ssh "v2" ü` {
		t.Errorf("application %q", name)
	}
}

func TestRestartOfTheCollectorIsNoLossButCounted(t *testing.T) {
	table := NewTable(Config{})
	before := establish(table, spoofed(1), saved)
	for sequence := range uint32(100) {
		before.Sequence(flow.NetFlow9, 1, sequence, 1)
		before.Sequence(flow.SFlow, 2, sequence, 1)
		before.Sequence(flow.IPFIX, 3, sequence, UnknownUnits)
	}
	after := load(t, save(t, table, saved), saved).Get(spoofed(1), saved.Add(time.Minute))
	after.Sequence(flow.NetFlow9, 1, 140, 1) // 40 were sent meanwhile
	after.Sequence(flow.NetFlow9, 1, 143, 1) // 2 are really lost
	after.Sequence(flow.SFlow, 2, 5, 1)      // it was restarted meanwhile
	after.Sequence(flow.IPFIX, 3, 500, 10)   // nobody knows
	counts := func(p flow.Protocol) string {
		c := after.counters.Load().of(p)
		return fmt.Sprintf("lost %d, late %d, away %d, duplicates %d, restarts %d", c.lost.Load(), c.late.Load(), c.away.Load(), c.duplicates.Load(), c.restarts.Load())
	}
	for p, want := range map[flow.Protocol]string{
		flow.NetFlow9: "lost 2, late 0, away 40, duplicates 0, restarts 0",
		flow.SFlow:    "lost 0, late 0, away 0, duplicates 0, restarts 1",
		flow.IPFIX:    "lost 0, late 0, away 0, duplicates 0, restarts 0",
	} {
		if got := counts(p); got != want {
			t.Errorf("%s: %s; want %s", p, got, want)
		}
	}
}

// Slow exporters are newcomers for minutes; but forged addresses that are in the file are
// not worth more than others after a restart.
func TestNewcomersStayNewcomers(t *testing.T) {
	table := load(t, golden(t), saved)
	if n := table.newcomers.states.Len(); n != 1 {
		t.Errorf("%d newcomers, want 1", n)
	}
	if table.Get(netip.MustParseAddr("198.51.100.1"), saved).Template(10, 0, 300) == nil {
		t.Error("the newcomer's template is gone")
	}
}

func TestExpiredStateIsNotLoaded(t *testing.T) {
	table := load(t, golden(t), saved.Add(23*time.Hour+59*time.Minute))
	if size(table) != 2 {
		t.Errorf("%d exporters after almost a day, want the two that were heard of last", size(table))
	}
	s := table.Get(netip.MustParseAddr("192.0.2.1"), saved.Add(23*time.Hour+59*time.Minute))
	if s.Template(9, 1, 260) != nil {
		t.Error("a template is there that was not used for more than a day")
	}
	if s.Template(10, 4294967295, 256) == nil {
		t.Error("a template is missing that was used within a day")
	}
	if n := size(load(t, golden(t), saved.Add(24*time.Hour))); n != 0 {
		t.Errorf("%d exporters after a day, want none", n)
	}
}

func TestStateFromAClockThatWasAheadExpires(t *testing.T) {
	now := saved.Add(-1000 * time.Hour)
	table := load(t, golden(t), now)
	sweep(table, now.Add(24*time.Hour))
	if size(table) != 0 {
		t.Errorf("%d exporters are left after a day", size(table))
	}
}

func TestLoadingDoesNotReplaceWhatIsKnown(t *testing.T) {
	table := NewTable(Config{})
	address := netip.MustParseAddr("192.0.2.1")
	table.Get(address, saved).SetRate(9, 1, 7, 5)
	if err := table.Load(strings.NewReader(golden(t)), saved); err != nil {
		t.Fatal(err)
	}
	if rate, _ := table.Get(address, saved).Rate(9, 1, 7, 0); rate != 5 {
		t.Errorf("rate %d, want 5, which was said since", rate)
	}
	if size(table) != 3 {
		t.Errorf("%d exporters, want 3", size(table))
	}
}

func TestLoadingIsBounded(t *testing.T) {
	large := NewTable(Config{})
	for i := range 1000 {
		establish(large, spoofed(i), saved.Add(time.Duration(i)*time.Second)).SetTemplate(9, 0, 256, octets(4))
	}
	small := NewTable(Config{MaxExporters: 10})
	if err := small.Load(strings.NewReader(save(t, large, saved)), saved); err != nil {
		t.Fatal(err)
	}
	if size(small) != 10 || small.Get(spoofed(999), saved).Template(9, 0, 256) == nil {
		t.Errorf("%d exporters are loaded, want the 10 that were heard of last", size(small))
	}
}

func TestLaterVersionsMayAddKeys(t *testing.T) {
	text := strings.NewReplacer(
		`"version":1,`, `"version":1,"host":{"name":"x"},`,
		`"seen":`, `"nickname":"edge","seen":`,
		`"options":true`, `"options":true,"colour":[1,2]`,
		`"protocol":"sflow"`, `"protocol":"sflow6"`,
		`{"exporters":3}`, `{"exporters":3,"checksum":"x"}`,
	).Replace(golden(t))
	if table := load(t, text, saved); size(table) != 3 {
		t.Errorf("%d exporters are loaded, want 3", size(table))
	}
}

func TestDamageIsNamedAndCostsWhatFollows(t *testing.T) {
	lines := strings.SplitAfter(golden(t), "\n")
	replaced := func(old, new string) string { return strings.Replace(golden(t), old, new, 1) }
	for name, test := range map[string]struct {
		text, want string
		loaded     int
	}{
		"nothing":               {"", "cut off after line 0", 0},
		"something else":        {"hello\n", "line 1: invalid character", 0},
		"another format":        {`{"format":"x","version":1}`, `line 1: format "x" version 1, want`, 0},
		"a version to come":     {replaced(`"version":1`, `"version":2`), "line 1: format \"netmeta exporters\" version 2", 0},
		"cut off at a line":     {lines[0] + lines[1], "cut off after line 2", 1},
		"cut off within a line": {lines[0] + lines[2] + lines[3][:60], "line 3: unexpected end of JSON input", 1},
		"a line is missing":     {lines[0] + lines[1] + lines[4], "line 3: 3 exporters were saved, but 1 are there", 1},
		"more behind the end":   {golden(t) + lines[1], "line 6: stands behind the end", 3},
		"no address":            {lines[0] + "{}\n", "line 2: no exporter's address", 0},
		"a zone":                {replaced("2001:db8::1", "fe80::1%eth0"), "line 3: no exporter's address", 1},
		"zeros":                 {lines[0] + strings.Repeat("\x00", 4096), "line 2: invalid character", 0},
		"wide number":           {replaced(`[1,4]`, `[65536,4]`), "line 4: exporter 192.0.2.1: template 260 of domain 1: field 1 is [65536 4], want", 2},
		"short field":           {replaced(`[1,4]`, `[1]`), "template 260 of domain 1: field 1 is [1], want", 2},
		"empty records":         {replaced(`[[1,4],[34,4]]`, `[[1,0],[34,0]]`), "its 2 fields are all of length 0", 2},
		"no fields":             {replaced(`[[1,4],[34,4]]`, `[]`), "1 scopes among 0 fields", 2},
		"negative scopes":       {replaced(`"scopes":1`, `"scopes":-1`), "-1 scopes among 2 fields", 2},
		"records too long":      {replaced(`[[1,4],[34,4]]`, `[[1,40000],[34,40000]]`), "a record of 80000 bytes fits into no datagram", 2},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable(Config{})
			err := table.Load(strings.NewReader(test.text), saved)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "load the state of exporters: ") {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if size(table) != test.loaded {
				t.Errorf("%d exporters are loaded, want %d, those before the damage", size(table), test.loaded)
			}
		})
	}
}

// The file of 65,536 exporters is written and read one by one.
func TestLargeStateFitsAndComesBack(t *testing.T) {
	table := NewTable(Config{})
	for i := range 2000 {
		s := establish(table, spoofed(i), saved)
		for id := range uint16(5) {
			s.SetTemplate(9, 0, 256+id, NewTemplate(false, 0, []Field{{ID: 1, Length: 4}, {ID: 2, Length: 4}, {ID: 8, Length: 4}}))
		}
		s.SetRate(9, 0, 1, 1000)
	}
	text := save(t, table, saved)
	back := load(t, text, saved)
	if size(back) != 2000 || back.established.bytes != table.established.bytes {
		t.Errorf("%d exporters of %d bytes came back, want 2000 of %d", size(back), back.established.bytes, table.established.bytes)
	}
	runtime.KeepAlive(table)
}

// Whatever the file holds, nothing that was loaded may trip a decoder, and it can be
// saved and loaded again.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(golden(f)))
	f.Fuzz(func(t *testing.T, text []byte) {
		table := NewTable(Config{MaxExporters: 8, MaxNewcomers: 8, MaxTemplates: 4, MaxSamplers: 4, MaxApplications: 4, MaxStreams: 4})
		_ = table.Load(bytes.NewReader(text), saved)
		for _, s := range slices.Concat(table.newcomers.states.Values(), table.established.states.Values()) {
			for key, e := range s.templates.all() {
				if err := e.value.Check(); err != nil {
					t.Errorf("template %v of %s was loaded: %v", key, s.address, err)
				}
			}
			if s.charged != int(s.measure()) {
				t.Errorf("%d bytes are charged for %s, which keeps %d", s.charged, s.address, s.measure())
			}
			if s.now() > saved.UnixNano() || s.now() < 0 {
				t.Errorf("%s was seen at %d", s.address, s.now())
			}
		}
		first := save(t, table, saved)
		if second := save(t, load(t, first, saved), saved); second != first {
			t.Errorf("saved\n%s\nand after loading that\n%s", first, second)
		}
	})
}
