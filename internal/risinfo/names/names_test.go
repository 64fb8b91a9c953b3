package names

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func all(g *Registry) string {
	var lines []string
	for _, n := range g.Names() {
		lines = append(lines, fmt.Sprintf("%d|%s|%s", n.ASN, n.Name, n.Country))
	}
	return strings.Join(lines, "\n")
}

func TestNamesAndCountriesComeFromSeveralSources(t *testing.T) {
	var g Registry
	for i, source := range []string{
		"64500 OURS Our own name\n13335 CLOUD Example, Inc., US\n3320 DTAG, DE\n7 ONLY, with a comma\n",
		"13335\tOTHER\tFR\n",
		`2|ripencc|20261127|100|19830705|20261126|+0100
ripencc|*|asn|*|40000|summary
ripencc|NL|ipv4|192.0.2.0|256|20200101|allocated|x
ripencc|GB|asn|7|1|19930901|allocated|x
arin|US|asn|64|3|19930901|assigned
apnic||asn|100|5||available
apnic|ZZ|asn|200|1||reserved
ripencc|DE|asn|65534|3|20200101|allocated
`,
	} {
		if err := g.Read(strings.NewReader(source)); err != nil {
			t.Errorf("source %d: %v", i, err)
		}
	}
	want := `7|ONLY, with a comma|GB
64||US
65||US
66||US
3320|DTAG|DE
13335|CLOUD Example, Inc.|US
64500|OURS Our own name|
65534||DE
65536||DE`
	if got := all(&g); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBadNumbersAndNamesAreCounted(t *testing.T) {
	var g Registry
	err := g.Read(strings.NewReader("0 NONE, ZZ\n23456 TRANS, ZZ\n4294967296 BEYOND, US\n99999999999999999999 BEYOND, US\n4294967295 LAST, US\n" +
		"1 FIRST, US\n1 SECOND, US\n1 FIRST, US\n2 " + strings.Repeat("ü", 300) + ", DE\n3 caf\xe9 \x01net, FR\n4 good, FR\n5 good, FR\n6 good, FR\nwords\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{BadNumber: 5, Contradictory: 1, Shortened: 1, BadLine: 1}; fmt.Sprint(g.LeftOut) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", g.LeftOut, want)
	}
	if got := all(&g); !strings.HasPrefix(got, "1|FIRST|US\n2|"+strings.Repeat("ü", 100)+"|DE\n3|café net|FR\n") {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNoListIsAnErrorAndAddsNothing(t *testing.T) {
	var g Registry
	for name, test := range map[string]struct{ text, want string }{
		"empty":            {"", "no AS numbers"},
		"prose":            {"There is\nno number here.\n", "line 1"},
		"prefixes":         {"192.0.2.0/24\t64500\n", "no AS number of 32 bits"},
		"no numbers":       {"ripencc|NL|ipv4|192.0.2.0|256|20200101|allocated|x\n", "no AS numbers"},
		"too many at once": {"ripencc|NL|asn|1|4294967295|20200101|allocated\n", "cannot be"},
		"one line":         {strings.Repeat("x", 1<<20), "token too long"},
	} {
		if err := g.Read(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if got := all(&g); got != "" {
		t.Errorf("added %s", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("13335 CLOUD Example, US\n64500\tOURS\tDE\nripencc|GB|asn|7|3|19930901|allocated|x\n")
	f.Fuzz(func(t *testing.T, text string) {
		var g, again Registry
		if g.Read(strings.NewReader(text)) != nil {
			return
		}
		for _, n := range g.Names() {
			if !utf8.ValidString(n.Name) || len(n.Name) > MaxName || strings.ContainsAny(n.Name, "\t\n") || len(n.Country) != 0 && len(n.Country) != 2 {
				t.Errorf("read %+v", n)
			}
		}
		var file bytes.Buffer
		if err := WriteTSV(&file, g.Names()); err != nil {
			t.Fatal(err)
		}
		if err := again.Read(&file); err != nil || all(&again) != all(&g) {
			t.Errorf("written and read again: %v\n%s\n%s", err, all(&again), all(&g))
		}
	})
}
