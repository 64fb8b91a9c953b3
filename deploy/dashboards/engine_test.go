package dashboards_test

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/internal/dashboard"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// loaded returns the dashboards as they are committed.
func loaded(t testing.TB) []*dashboard.Dashboard {
	t.Helper()
	all, err := dashboard.Load(dashboards.Files())
	must(t, err)
	return all
}

// result is what a statement returned. Numbers are float64, times Unix seconds, and
// everything else is text.
type result struct {
	columns []string
	rows    [][]any
}

func run(t *testing.T, db *sql.DB, statement string) result {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	must(t, err)
	r := result{columns: columns}
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		must(t, rows.Scan(into...))
		for i, value := range row {
			row[i] = plain(value)
		}
		r.rows = append(r.rows, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	return r
}

func plain(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case time.Time:
		return float64(v.Unix())
	case string:
		return v
	case uint8, uint16, uint32, uint64, int8, int16, int32, int64, int, float32, float64:
		var f float64
		_, _ = fmt.Sscan(fmt.Sprint(v), &f)
		return f
	case *uint64:
		return pointed(v)
	case *int64:
		return pointed(v)
	case *uint8:
		return pointed(v)
	case *float64:
		return pointed(v)
	}
	return fmt.Sprint(value)
}

func pointed[T uint8 | uint64 | int64 | float64](v *T) any {
	if v == nil {
		return nil
	}
	return float64(*v)
}

// column returns the values of a column, and fails the test if there is none.
func (r result) column(t *testing.T, name string) []any {
	t.Helper()
	for i, column := range r.columns {
		if column == name {
			values := make([]any, len(r.rows))
			for j, row := range r.rows {
				values[j] = row[i]
			}
			return values
		}
	}
	t.Fatalf("no column %q among %v", name, r.columns)
	return nil
}

// sums adds up a column of numbers by what is in columns of labels, joined by a space.
func (r result) sums(t *testing.T, value string, labels ...string) map[string]float64 {
	t.Helper()
	sums := map[string]float64{}
	numbers := r.column(t, value)
	names := make([][]any, len(labels))
	for i, label := range labels {
		names[i] = r.column(t, label)
	}
	for row := range numbers {
		var key []string
		for _, column := range names {
			key = append(key, text(column[row]))
		}
		n, ok := numbers[row].(float64)
		if !ok {
			t.Fatalf("%s of row %d is %v, not a number", value, row, numbers[row])
		}
		sums[strings.Join(key, " ")] += n
	}
	return sums
}

func text(value any) string { return fmt.Sprint(value) }

// close reports whether two numbers are the same but for rounding.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))+1e-9 }

// equal compares sums, those that are zero left out.
func equal(t *testing.T, what string, got, want map[string]float64) {
	t.Helper()
	for key, w := range want {
		if !same(got[key], w) {
			t.Errorf("%s: %q is %v, want %v", what, key, got[key], w)
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok && g != 0 {
			t.Errorf("%s: %q is %v, which was not put in", what, key, g)
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: nothing is expected, so nothing is tested", what)
	}
}
