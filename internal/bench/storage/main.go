//go:build linux

// Command storage measures physical designs of flows_raw against each other: bytes a
// row, what inserts and merges cost, and how long the queries of dashboards and people
// take. It is run by scripts/bench.sh.
//
// Every design gets the same flows in the same blocks, out of an embedded broker through
// the Kafka engine and the view, and every query is asked of one design after the other
// in every round, so that what else the machine does meets each alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/bench/script"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

func main() { script.Main("storage", run) }

// options are the flags.
type options struct {
	traffic
	warm, cold int
	designs    string
	output     string
	dir        string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench.sh storage", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.IntVar(&o.rows, "rows", 20_000_000, "flows to store, up to 200 million")
	flags.IntVar(&o.hours, "hours", 24, "hours that the flows are spread over, up to a midnight")
	flags.BoolVar(&o.random, "random", false, "draw addresses and ports evenly: the worst case")
	flags.IntVar(&o.warm, "rounds", 3, "rounds of each query; the best is reported")
	flags.IntVar(&o.cold, "cold", 2, "rounds with nothing in memory")
	flags.StringVar(&o.designs, "designs", "original,netmeta", "designs to compare, or all: "+strings.Join(designNames(), ", "))
	flags.StringVar(&o.output, "output", "table", "table or json")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "directory below which the data goes, for as long as it is needed")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 { // the number of rows may come first, without its flag
		rows, err := strconv.Atoi(flags.Arg(0))
		if err != nil {
			return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
		}
		if err := flags.Parse(append([]string{"--rows", strconv.Itoa(rows)}, flags.Args()[1:]...)); err != nil {
			return o, err
		}
	}
	if err := script.Check(flags, o.output); err != nil {
		return o, err
	}
	switch {
	case o.rows < 1 || o.rows > 200_000_000:
		return o, fmt.Errorf("--rows %d: must be 1 to 200000000", o.rows)
	case o.hours < 4 || o.hours > 31*24:
		return o, fmt.Errorf("--hours %d: must be 4 to 744", o.hours)
	case o.warm < 1 || o.cold < 0:
		return o, fmt.Errorf("--rounds %d, --cold %d: must be at least 1 and 0", o.warm, o.cold)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	designs, err := choose(o.designs)
	if err != nil {
		return err
	}
	documented, err := readDocumented(o.traffic) // before the engine changes the working directory
	if err != nil {
		return err
	}
	slog.SetLogLoggerLevel(slog.LevelError) // the embedded broker's
	library, err := chdb.Find("")
	if err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	dir, err := os.MkdirTemp(o.dir, "netmeta-storage-")
	if err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	defer os.RemoveAll(dir)
	opened, err := chdb.Open(library, filepath.Join(dir, "clickhouse"), chdb.Options{})
	if err != nil {
		return err
	}
	defer opened.Close()
	r, err := o.measure(ctx, engine{opened}, designs, documented, dir, progress)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return r.writeJSON(out)
	}
	return r.writeTable(out)
}

// measure fills a table of each design and asks every query of each.
func (o options) measure(ctx context.Context, e engine, designs []design, documented []query, dir string, progress io.Writer) (r report, err error) {
	s, err := openStage(ctx, e, dir)
	defer s.close()
	if err != nil {
		return r, err
	}
	for _, d := range designs {
		t, err := s.createTable(ctx, d)
		if err != nil {
			return r, err
		}
		r.tables = append(r.tables, t)
	}
	l := loader{stage: s, tables: r.tables, progress: progress}
	if err := l.load(ctx, o.traffic); err != nil {
		return r, err
	}
	r.parsed = s.parsed
	fill, err := e.fillIn(ctx, r.tables[0].name, o.traffic)
	if err != nil {
		return r, err
	}
	b := bench{engine: e, tables: r.tables, fill: fill, warm: o.warm, cold: o.cold, progress: progress}
	documented, err = s.answerable(ctx, designs, fill, documented)
	if err != nil {
		return r, err
	}
	r.queries, err = b.run(ctx, slices.Concat(queries, documented))
	return r, err
}
