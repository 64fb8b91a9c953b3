package table

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/query"
)

var update = flag.Bool("update", false, "write the golden files anew")

func columns(namesAndTypes ...string) (c []query.Column) {
	for i := 0; i < len(namesAndTypes); i += 2 {
		c = append(c, query.Column{Name: namesAndTypes[i], Type: namesAndTypes[i+1]})
	}
	return c
}

// row makes a row of values; nil is NULL.
func row(values ...any) (r []query.Value) {
	for _, v := range values {
		if v == nil {
			r = append(r, query.Value{Null: true})
		} else {
			r = append(r, query.Value{Text: fmt.Sprint(v)})
		}
	}
	return r
}

// checkGolden compares a drawing with testdata/name.txt.
func checkGolden(t *testing.T, name, got string, width int) {
	t.Helper()
	for line := range strings.Lines(got) {
		if n := textWidth(strings.TrimRight(line, "\n")); width > 0 && n > width {
			t.Errorf("a line has %d cells of %d: %s", n, width, line)
		}
	}
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTables(t *testing.T) {
	hosts := columns("Exporter", "IPv6", "Name", "LowCardinality(Nullable(String))", "Bytes", "UInt64", "Share", "Nullable(Float64)")
	hostRows := [][]query.Value{
		row("::ffff:192.0.2.1", "edge router of the first site, in the basement", 1234567890123, 0.25),
		row("2001:db8::1", nil, 7, nil),
		row("::", "日本の路由器 é", 0, "nan"),
	}
	for _, test := range []struct {
		name  string
		cols  []query.Column
		rows  [][]query.Value
		width int
	}{
		{"as wide as it is", hosts, hostRows, 0},
		{"cut to the terminal", hosts, hostRows, 60},
		{"records where columns do not fit", hosts, hostRows, 36},
		{"no rows", hosts, nil, 80},
		{"nothing that moves the cursor", columns("a\x1b[2J", "String"), [][]query.Value{
			row("\x1b]0;title\a"), row("two\nlines\tand\r"), row("\xff\xfe"), row("abc\u202edef\u200b"), row("\u009b31m"),
		}, 80},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, test.cols, test.rows, test.width); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, test.name, b.String(), test.width)
		})
	}
}

func TestDrawings(t *testing.T) {
	traffic := columns("t", "DateTime('UTC')", "Direction", "LowCardinality(String)", "bps", "Float64", "pps", "Nullable(UInt64)")
	var trafficRows, day, months [][]query.Value
	for minute := range 12 {
		if minute == 4 || minute == 5 {
			continue
		}
		at := fmt.Sprintf("2030-05-01 14:%02d:00", minute)
		trafficRows = append(trafficRows, row(at, "in", minute*1_000_000_000, 5), row(at, "out", 3.5, nil))
	}
	for second := range 86400 / 10 {
		day = append(day, row(fmt.Sprintf("2030-05-01 %02d:%02d:%02d.000", second/360, second/6%60, second%6*10), second%4321))
	}
	for month := range 12 {
		months = append(months, row(fmt.Sprintf("2030-%02d-01", month+1), month+1))
	}
	for _, test := range []struct {
		name string
		cols []query.Column
		rows [][]query.Value
	}{
		{"series by direction with a gap", traffic, trafficRows},
		{"more steps than cells", columns("t", "DateTime64(3)", "n", "UInt32"), day},
		{"months are steps of one length", columns("m", "Date", "n", "UInt8"), months},
		{"values below zero", columns("t", "DateTime", "d", "Int32"), [][]query.Value{row("2030-01-01 00:00:00", -5), row("2030-01-01 00:00:01", 0), row("2030-01-01 00:00:02", 5)}},
		{"one value", columns("t", "DateTime", "d", "Int32"), [][]query.Value{row("2030-01-01 00:00:00", 0)}},
		{"bars", columns("Source", "String", "Port", "String", "bytes", "UInt64"), [][]query.Value{
			row("192.0.2.1", "https", 1_500_000_000), row("192.0.2.2", "", 999_499), row("host with a long name "+strings.Repeat("x", 60), "", 700_000_000), row("none", "", 0), row("below", "", -5), row("endless", "", "inf"),
		}},
		{"bars of AS numbers", columns("SourceASN", "UInt32", "bytes", "Nullable(UInt64)"), [][]query.Value{row(64496, 10), row(64497, nil)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Draw(&b, test.cols, test.rows, 80); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, test.name, b.String(), 80)
		})
	}
}

func TestResultsThatCannotBeDrawnSayWhatIsNeeded(t *testing.T) {
	for name, test := range map[string]struct {
		cols []query.Column
		want string
	}{
		"no numbers":                {columns("t", "DateTime", "s", "String"), "needs a column of numbers"},
		"names and several numbers": {columns("s", "String", "a", "UInt8", "b", "UInt8"), "no Date or DateTime column, and 2 columns of numbers"},
		"no columns":                {nil, "needs a column of numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Draw(&bytes.Buffer{}, test.cols, [][]query.Value{row(make([]any, len(test.cols))...)}, 80)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAmountsHaveThreeDigitsAndAUnit(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 7: "7", 0.25: "0.25", 999: "999", 999.6: "1 k", 1234: "1.23 k", 999_999: "1 M", 1.5e9: "1.5 G", -2e12: "-2 T", 5e21: "5000 E", 0.00001: "1e-05", 123.45: "123",
	} {
		if got := amount(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}
