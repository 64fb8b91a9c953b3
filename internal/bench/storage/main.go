//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench.sh storage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rows := flag.Int("rows", 2_000_000, "")
	days := flag.Int("days", 1, "")
	random := flag.Bool("random", false, "")
	names := flag.String("designs", "original,five", "")
	rounds := flag.Int("rounds", 3, "")
	cold := flag.Int("cold", 0, "")
	only := flag.String("only", "", "")
	block := flag.Int("block", 262144, "")
	dir := flag.String("dir", "", "")
	sql := flag.String("sql", "", "")
	flag.Parse()
	t := traffic{rows: *rows, days: *days, random: *random}
	lib, err := chdb.Find("")
	if err != nil {
		return err
	}
	if *dir == "" {
		if *dir, err = os.MkdirTemp("", "netmeta-storage-"); err != nil {
			return err
		}
		defer os.RemoveAll(*dir)
	}
	ce, err := chdb.Open(lib, *dir, chdb.Options{Settings: map[string]string{"allow_suspicious_low_cardinality_types": "1", "allow_suspicious_codecs": "1"}})
	if err != nil {
		return err
	}
	defer ce.Close()
	e := engine{ce}
	var ds []design
	for _, n := range strings.Split(*names, ",") {
		i := slices.IndexFunc(designs, func(d design) bool { return d.name == n })
		if i < 0 {
			return fmt.Errorf("no design %q", n)
		}
		ds = append(ds, designs[i])
	}
	l, err := e.prepare(ctx, ds, os.Stderr)
	if err != nil {
		return err
	}
	if err := l.load(ctx, t, *block); err != nil {
		return err
	}
	fmt.Printf("parse: %.0f rows/CPU-s\n", float64(*rows)/l.parse.cpu.Seconds())
	fmt.Printf("%-12s %8s %12s %12s\n", "design", "B/row", "ins rows/cpu", "merge")
	for _, d := range l.designs {
		fmt.Printf("%-12s %8.2f %12.0f %12.0f", d.name, d.bytes/float64(d.rows), float64(d.rows)/d.insert.cpu.Seconds(), float64(d.rows)/d.merge.cpu.Seconds())
		for k, v := range d.bytesExtra {
			fmt.Printf("  %s %.2f", k, v/float64(d.rows))
		}
		fmt.Println()
	}
	var cols []string
	for k := range l.designs[0].bytesColumns {
		cols = append(cols, k)
	}
	sort.Strings(cols)
	for _, c := range cols {
		line, show := fmt.Sprintf("%-20s", c), false
		for _, d := range l.designs {
			v := d.bytesColumns[c] / float64(d.rows)
			show = show || v > 0.05
			line += fmt.Sprintf(" %8.2f", v)
		}
		if show {
			fmt.Println(line)
		}
	}
	if *sql != "" {
		b, err := os.ReadFile(*sql)
		if err != nil {
			return err
		}
		for _, s := range strings.Split(string(b), ";\n") {
			if strings.TrimSpace(s) == "" {
				continue
			}
			var out string
			var st chdb.Stats
			took, err := timed(func() (err error) { out, st, err = e.query(ctx, "default", s, querySettings); return err })
			fmt.Printf("--- %s\n%s\n[%v wall %v cpu, %d rows read] err=%v\n", strings.TrimSpace(s), out, took.wall, took.cpu, st.ReadRows, err)
		}
		return nil
	}
	if *rounds == 0 {
		return nil
	}
	fill, err := e.fillIn(ctx, l.designs[0].name, t)
	if err != nil {
		return err
	}
	ms, err := e.measure(ctx, l, fill, *rounds, *cold, *only, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Printf("%-40s", "query warm ms (rows read, k)")
	for _, d := range l.designs {
		fmt.Printf(" %18s", d.name)
	}
	fmt.Println()
	for _, m := range ms {
		fmt.Printf("%-40s", m.name)
		for _, d := range l.designs {
			v := m.byDesign[d.name]
			fmt.Printf(" %7.1f(%7d)", float64(v.warm.Microseconds())/1000, v.rows/1000)
			if *cold > 0 {
				fmt.Printf("c%5.0f", float64(v.cold.Microseconds())/1000)
			}
		}
		fmt.Println()
	}
	return nil
}
