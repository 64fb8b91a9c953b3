//go:build linux

// Command ingest measures what ClickHouse makes of a full queue: how many flows a second
// come through the Kafka engine and the views into the merged table, what a flow costs in
// processor time, and what the process holds in memory. It is run by scripts/bench.sh.
//
// Flows are written to an embedded broker first, in the messages of the collector's queue.
// Then the embedded engine reads them, with nothing else to do.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/leoluk/NetMeta/internal/bench/script"
)

func main() { script.Main("ingest", run) }

// options are the flags.
type options struct {
	rows int
	span time.Duration // in which the flows were received
	// prefixes is the size of the routing table, 0 for none. With one, flows carry no AS
	// numbers, and each of their addresses is looked up.
	prefixes int
	dir      string
	output   string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	var seconds int
	flags := flag.NewFlagSet("bench.sh ingest", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.IntVar(&o.rows, "rows", 10_000_000, "flows to store")
	flags.IntVar(&seconds, "seconds", 20, "seconds in which they were received")
	flags.IntVar(&o.prefixes, "prefixes", 0, "prefixes of a routing table in which both AS numbers of each flow are looked up; 0: exporters tell them")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "directory below which the data goes, for as long as it is needed")
	flags.StringVar(&o.output, "output", "table", "table or json")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.span = time.Duration(seconds) * time.Second
	if err := script.Check(flags, o.output); err != nil {
		return o, err
	}
	switch {
	case o.rows < 1_000_000 || o.rows > 200_000_000:
		return o, fmt.Errorf("--rows %d: must be 1000000, which are two blocks, to 200000000", o.rows)
	case o.prefixes < 0 || o.prefixes > 5_000_000:
		return o, fmt.Errorf("--prefixes %d: must be 0 to 5000000", o.prefixes)
	case seconds < 1:
		return o, fmt.Errorf("--seconds %d: must be above 0", seconds)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	slog.SetLogLoggerLevel(slog.LevelError) // the embedded broker's
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	if o.dir, err = os.MkdirTemp(o.dir, "netmeta-ingest-"); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	defer os.RemoveAll(o.dir)
	r, err := o.measure(ctx, progress)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return json.NewEncoder(out).Encode(r)
	}
	return r.writeTable(out)
}

// report is what was measured.
type report struct {
	Rows          int     `json:"rows"`
	Prefixes      int     `json:"prefixes"`        // of the routing table
	LoadingTable  float64 `json:"loading_table_s"` // processor time until ClickHouse had it
	Resolved      float64 `json:"resolved"`        // share of addresses for which it has an AS
	RowsPerSecond float64 `json:"rows_per_second"` // between the first block and the last
	Storing       float64 `json:"storing_us"`      // processor time a row until the last one was stored, in microseconds
	Merging       float64 `json:"merging_us"`      // and from then on until nothing was left to merge
	BytesPerRow   float64 `json:"bytes_per_row"`   // of flows_raw
	PeakMiB       int     `json:"peak_mib"`        // most that was resident
}

func (r report) writeTable(out io.Writer) error {
	_, err := fmt.Fprintf(out, `flows stored                        %s
flows a second                      %s
µs of processor time a flow         %.2f, and %.2f for merges that were left
flows a CPU-second                  %s
bytes a flow                        %.1f
resident at most, MiB               %d
prefixes in the routing table       %s, loaded in %.1f s of processor time
addresses resolved with it          %.0f %%
`, script.Comma(r.Rows), script.Comma(int(r.RowsPerSecond)), r.Storing, r.Merging,
		script.Comma(int(1e6/(r.Storing+r.Merging))), r.BytesPerRow, r.PeakMiB, script.Comma(r.Prefixes), r.LoadingTable, 100*r.Resolved)
	return err
}
