package route

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
)

func text(routes []Route) string {
	var all []string
	for _, r := range routes {
		all = append(all, fmt.Sprintf("%s AS%d×%d", r.Prefix(), r.ASN, r.Peers))
	}
	return strings.Join(all, ", ")
}

func TestBuilderLeavesOutWhatIsNoRoute(t *testing.T) {
	var b Builder
	for _, r := range []struct {
		prefix string
		asn    uint32
	}{
		{"0.0.0.0/0", 64500}, {"128.0.0.0/1", 64500}, {"10.0.0.0/8", 64500}, {"::/0", 64500}, {"2000::/3", 64500}, {"2001::/16", 64500},
		{"192.0.2.0/24", 0}, {"192.0.2.0/24", 23456}, {"192.0.2.0/24", 65535}, {"192.0.2.0/24", 4294967295}, {"192.0.2.0/24", 4294967294},
	} {
		b.Add(netip.MustParsePrefix(r.prefix), []mrt.Origin{{ASN: r.asn, Peers: 1}})
	}
	if got, want := text(b.Routes()), "10.0.0.0/8 AS64500×1, 192.0.2.0/24 AS4294967294×1, 2001::/16 AS64500×1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if b.LeftOut[TooShort] != 4 || b.LeftOut[BadOrigin] != 4 {
		t.Errorf("left out %v", b.LeftOut)
	}
}

func TestMergeTakesTheOriginThatMostPeersHave(t *testing.T) {
	p := func(s string, origins ...mrt.Origin) func(*Builder) {
		return func(b *Builder) { b.Add(netip.MustParsePrefix(s), origins) }
	}
	var sources [][]Route
	for _, adds := range [][]func(*Builder){
		{p("192.0.2.0/24", mrt.Origin{ASN: 2, Peers: 3}, mrt.Origin{ASN: 1, Peers: 2}), p("192.0.2.0/24", mrt.Origin{ASN: 1, Peers: 1}), p("2001:db8::/32", mrt.Origin{ASN: 7, Peers: 1})},
		{p("192.0.2.0/25", mrt.Origin{ASN: 3, Peers: 9}), p("192.0.2.0/24", mrt.Origin{ASN: 1, Peers: 2}), p("198.51.100.0/24", mrt.Origin{ASN: 9, Peers: 2}, mrt.Origin{ASN: 8, Peers: 2})},
		{},
	} {
		var b Builder
		for _, add := range adds {
			add(&b)
		}
		sources = append(sources, b.Routes())
	}
	merged, leftOut := Merge(sources, 2)
	if got, want := text(merged), "192.0.2.0/24 AS1×5, 192.0.2.0/25 AS3×9, 198.51.100.0/24 AS8×2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if leftOut[FewPeers] != 1 || leftOut[Contradictory] != 2 {
		t.Errorf("left out %v", leftOut)
	}
	if merged, _ := Merge(sources, 1); len(merged) != 4 {
		t.Errorf("merged again, with one peer enough: %s", text(merged))
	}
}

func TestLinesAreReadInEveryForm(t *testing.T) {
	var b Builder
	err := ReadTSV(strings.NewReader(`# comment

10.1.0.0/16	64500
::ffff:10.2.0.0/112	64501
::10.3.0.0/112	AS64502
2001:db8::1/32,64503
10.4.0.0/16;as64504;text
10.1.0.0/16	64500
10.5.0.0/16	64505
10.5.0.0/16	64506
10.6.0.0/16	4294967296
10.7.0.0/33	64500
`), &b)
	if err != nil {
		t.Fatal(err)
	}
	merged, leftOut := Merge([][]Route{b.Routes()}, 2)
	got := strings.NewReplacer(fmt.Sprint("×", TextPeers), "", fmt.Sprint("×", 2*TextPeers), "").Replace(text(merged))
	if want := "10.1.0.0/16 AS64500, 10.2.0.0/16 AS64501, 10.3.0.0/16 AS64502, 10.4.0.0/16 AS64504, 10.5.0.0/16 AS64505, 2001:db8::/32 AS64503"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b.LeftOut[BadLine] != 2 || leftOut[Contradictory] != 1 {
		t.Errorf("left out %v, %v", b.LeftOut, leftOut)
	}
}

func TestTextThatIsNoTableIsAnError(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":    {"", "no IPv4 or IPv6 unicast routes"},
		"comments": {"# nothing\n", "no IPv4 or IPv6 unicast routes"},
		"prose":    {"Dear reader,\nthere is nothing here.\n", "line 1"},
		"one line": {strings.Repeat("x", 1<<20), "token too long"},
	} {
		var b Builder
		if err := ReadTSV(strings.NewReader(test.text), &b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	var b, again Builder
	for _, p := range []string{"192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "2001:db8::7/128", "192.0.2.7/32"} {
		b.Add(netip.MustParsePrefix(p), []mrt.Origin{{ASN: 64500, Peers: TextPeers}})
	}
	routes := b.Routes()
	var file bytes.Buffer
	if err := WriteTSV(&file, routes); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(file.String(), "::ffff:192.0.2.0/120\t64500\n") {
		t.Errorf("wrote %s", file.String())
	}
	if err := ReadTSV(&file, &again); err != nil {
		t.Fatal(err)
	}
	if got, want := text(again.Routes()), text(routes); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzReadTSV(f *testing.F) {
	f.Add("10.1.0.0/16\t64500\n::ffff:10.2.0.0/112 AS1\n::1.2.3.4/97,7\n2001:db8::/32;9\n")
	f.Fuzz(func(t *testing.T, text string) {
		var b Builder
		if ReadTSV(strings.NewReader(text), &b) != nil {
			return
		}
		for _, r := range b.Routes() {
			if !r.Prefix().IsValid() || r.Prefix() != r.Prefix().Masked() || !IsOrigin(r.ASN) {
				t.Errorf("read %s, AS%d", r.Prefix(), r.ASN)
			}
		}
	})
}
