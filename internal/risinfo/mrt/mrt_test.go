package mrt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
	"github.com/leoluk/NetMeta/internal/risinfo/mrttest"
)

func read(file []byte) (lines []string, stats mrt.Stats, err error) {
	stats, err = mrt.Read(bytes.NewReader(file), func(prefix netip.Prefix, origins []mrt.Origin) {
		line := prefix.String()
		for _, o := range origins {
			line += fmt.Sprintf(" %d×AS%d", o.Peers, o.ASN)
		}
		lines = append(lines, line)
	})
	return lines, stats, err
}

func TestGoldenTableIsRead(t *testing.T) {
	lines, stats, err := read(golden.Bytes(t, "table"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"198.51.100.0/24 2×AS4200000001 1×AS64700",
		"203.0.113.128/25 1×AS64600 1×AS64702 1×AS64513",
		"2001:db8::/29 1×AS64800",
		"198.51.96.0/20 2×AS64900",
		"2001:db8:1::/48 1×AS64901",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if want := (mrt.Stats{Peers: 2, Records: 9, Skipped: 2, Prefixes: 5, Entries: 13, Originless: 3}); stats != want {
		t.Errorf("counted %+v, want %+v", stats, want)
	}
}

// Wherever a file is cut off, that is an error, unless it is between two records.
func TestTruncatedFileIsAnError(t *testing.T) {
	file := golden.Bytes(t, "table")
	whole := 0
	for length := range file {
		_, _, err := read(file[:length])
		switch {
		case err == nil:
			whole++
		case errors.Is(err, mrt.ErrNoRoutes):
		case !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "at byte"):
			t.Errorf("cut off after %d bytes: %v does not say where", length, err)
		}
	}
	if whole != 7 {
		t.Errorf("%d files are whole, want 7: those that end behind a record, from the first prefix on", whole)
	}
}

func TestDamageIsAnErrorThatSaysWhere(t *testing.T) {
	record := func(kind, subtype byte, body string) string {
		return "i\x00\x00\x00\x00" + string([]byte{kind, 0, subtype, 0, 0, 0, byte(len(body))}) + body
	}
	attributes := func(a string) string {
		return record(13, 2, "\x00\x00\x00\x00\x08\x0a\x00\x01"+"\x00\x00\x00\x00\x00\x00\x00"+string([]byte{byte(len(a))})+a)
	}
	for name, test := range map[string]struct{ file, want string }{
		"empty":                   {"", "no IPv4 or IPv6 unicast routes"},
		"text":                    {"<html><head><title>Not found</title></head></html>", "no MRT file, or damaged"},
		"huge record":             {"i\x00\x00\x00\x00\x0d\x00\x02\xff\xff\xff\xff", "more than a record can have"},
		"old form":                {record(12, 1, "x"), "TABLE_DUMP_V2"},
		"short prefix":            {record(13, 2, "\x00\x00\x00\x00\x18\x0a"), "middle of a field"},
		"prefix of 33 bits":       {record(13, 2, "\x00\x00\x00\x00\x21\x0a\x00\x00\x00\x00\x00\x00"), "length 33"},
		"entries are missing":     {record(13, 2, "\x00\x00\x00\x00\x08\x0a\x00\x09"), "10.0.0.0/8: it ends"},
		"short index":             {record(13, 1, "\x00\x00\x00\x00\x00\x09"), "middle of a field"},
		"attribute is too long":   {attributes("\x40\x02\xff\x02"), "10.0.0.0/8: it ends"},
		"path is too long":        {attributes("\x40\x02\x02\x02\x09"), "10.0.0.0/8: it ends"},
		"segment of another kind": {attributes("\x40\x02\x06\x07\x01\x00\x00\xfc\x00"), "segment of type 7"},
	} {
		_, _, err := read([]byte(test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestGeneratedTableIsReadAsItWasMade(t *testing.T) {
	entries := mrttest.Table(1, 3000, 600)
	var file bytes.Buffer
	if err := mrttest.Write(&file, entries, 3); err != nil {
		t.Fatal(err)
	}
	lines, stats, err := read(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("%s 3×AS%d", e.Prefix, e.ASN); lines[i] != want {
			t.Fatalf("prefix %d: got %s, want %s", i, lines[i], want)
		}
	}
	if stats.Entries != 3*len(entries) || stats.Peers != 3 {
		t.Errorf("counted %+v", stats)
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range golden.All(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		lines, stats, err := read(file)
		if err == nil && len(lines) == 0 {
			t.Error("no routes and no error")
		}
		if len(lines) != stats.Prefixes || stats.Entries > len(file) {
			t.Errorf("%d prefixes, counted %+v", len(lines), stats)
		}
	})
}

// BenchmarkRead is what an entry of a routing table costs: a prefix has one of each peer.
func BenchmarkRead(b *testing.B) {
	entries := mrttest.Table(1, 20_000, 4_000)
	var file bytes.Buffer
	if err := mrttest.Write(&file, entries, 20); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := mrt.Read(bytes.NewReader(file.Bytes()), func(_ netip.Prefix, origins []mrt.Origin) { n += len(origins) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*20*len(entries)), "ns/entry")
}
