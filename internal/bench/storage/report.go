//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// report is everything that was measured. The first table is what the others are
// compared with.
type report struct {
	tables  []*table
	parsed  spent // from Kafka messages to rows
	queries []measurement
}

func (r report) writeJSON(w io.Writer) error {
	perRow := map[string]float64{}
	for _, t := range r.tables {
		perRow[t.name] = rounded(t.size.total / float64(t.rows))
	}
	queries := []map[string]any{}
	for _, m := range r.queries {
		q := map[string]any{"name": m.name, "kind": m.kind}
		for i, t := range r.tables {
			l := m.latencies[i]
			q[t.name+"_ms"] = rounded(milliseconds(l.warm))
			q[t.name+"_cpu_ms"] = rounded(milliseconds(l.cpu))
			q[t.name+"_rows_read"] = l.rows
			if len(l.cold) > 0 {
				q[t.name+"_cold_ms"] = rounded(milliseconds(l.cold))
			}
		}
		queries = append(queries, q)
	}
	err := json.NewEncoder(w).Encode(map[string]any{
		"bytes_per_row": perRow, "queries": queries,
		"insert_rows_per_second": math.Round(r.insertRate(r.tables[len(r.tables)-1])),
	})
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// insertRate is in rows a second, by one consumer: out of Kafka, through the view, into
// the table.
func (r report) insertRate(t *table) float64 {
	return float64(t.rows) / (r.parsed.wall + t.insert.wall).Seconds()
}

func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

// milliseconds is the best of the rounds: what else the machine does makes a query
// slower, never faster.
func milliseconds(rounds []time.Duration) float64 {
	if len(rounds) == 0 {
		return math.NaN()
	}
	return float64(slices.Min(rounds).Microseconds()) / 1000
}

func (r report) writeTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.writeStorage(out)
	r.writeColumns(out)
	r.writeQueries(out, "warm, ms of processor time", func(l latency) float64 { return milliseconds(l.cpu) })
	r.writeQueries(out, "warm, ms", func(l latency) float64 { return milliseconds(l.warm) })
	if len(r.queries) > 0 && len(r.queries[0].latencies[0].cold) > 0 {
		r.writeQueries(out, "cold, ms", func(l latency) float64 { return milliseconds(l.cold) })
	}
	r.writeQueries(out, "rows read, thousands", func(l latency) float64 { return float64(l.rows) / 1000 })
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r report) writeStorage(out io.Writer) {
	fmt.Fprintf(out, "%s rows. From Kafka to rows: %s rows per second of processor time.\n\n", humanize.Comma(int64(r.tables[0].rows)),
		rate(r.tables[0].rows, r.parsed))
	fmt.Fprintln(out, "design\tbytes a row\tof the first\tinserts, rows/CPU-s\tmerges, rows/CPU-s\twhat it is\t")
	for _, t := range r.tables {
		fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%s\t%s\t%s\t\n", t.name, t.size.total/float64(t.rows), t.size.total/r.tables[0].size.total,
			rate(t.rows, t.insert), rate(t.rows, t.merge), t.about)
	}
	fmt.Fprintln(out)
}

func rate(rows int, s spent) string {
	return humanize.Comma(int64(float64(rows) / s.cpu.Seconds()))
}

// leastShown is how many bytes a row something takes to be listed.
const leastShown = 0.01

func (r report) writeColumns(out io.Writer) {
	r.header(out, "bytes a row")
	for _, of := range []func(size) map[string]float64{
		func(s size) map[string]float64 { return s.columns },
		func(s size) map[string]float64 { return s.extra },
	} {
		names := map[string]bool{}
		for _, t := range r.tables {
			for name, bytes := range of(t.size) {
				names[name] = names[name] || bytes/float64(t.rows) >= leastShown
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !names[name] {
				continue
			}
			fmt.Fprintf(out, "%s\t", name)
			for _, t := range r.tables {
				fmt.Fprintf(out, "%.2f\t", of(t.size)[name]/float64(t.rows))
			}
			fmt.Fprintln(out)
		}
	}
	fmt.Fprintln(out)
}

func (r report) header(out io.Writer, what string) {
	names := make([]string, len(r.tables))
	for i, t := range r.tables {
		names[i] = t.name
	}
	fmt.Fprintf(out, "%s\t%s\t\n", what, strings.Join(names, "\t"))
}

// writeQueries writes a value of each query in each design, and how much less than in
// the first it is.
func (r report) writeQueries(out io.Writer, what string, value func(latency) float64) {
	r.header(out, what)
	logs := make([]float64, len(r.tables))
	for _, m := range r.queries {
		fmt.Fprintf(out, "%s\t", m.name)
		first := value(m.latencies[0])
		for i, l := range m.latencies {
			v := value(l)
			logs[i] += math.Log(max(first, 1e-3) / max(v, 1e-3))
			if i == 0 {
				fmt.Fprintf(out, "%.1f\t", v)
				continue
			}
			fmt.Fprintf(out, "%.1f (%.1f)\t", v, first/v)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, "times better, geometric mean\t")
	for _, sum := range logs {
		fmt.Fprintf(out, "%.1f\t", math.Exp(sum/float64(len(r.queries))))
	}
	fmt.Fprint(out, "\n\n")
}
