//go:build linux

// Command path measures the way of a flow from the datagram to the row: what it costs in
// processor time of collector, broker and engine together, whether any is lost, and what
// the programs hold in memory meanwhile. It is run by scripts/bench.sh.
//
// Synthetic exporters of all four protocols send from the process of the benchmark, whose
// own time is not counted. One shape of NetMeta is measured after the other, each with a
// database of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/leoluk/NetMeta/internal/bench/script"
	"github.com/leoluk/NetMeta/internal/generate"
)

func main() { script.Main("path", run) }

// options are the flags.
type options struct {
	shape      string
	load       load
	output     string
	dir        string
	netmeta    string
	standalone string
}

const both = "both"

func parse(args []string, help io.Writer) (options, error) {
	var o options
	var seconds float64
	flags := flag.NewFlagSet("bench.sh path", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.StringVar(&o.shape, "shape", both, "standalone, processes or both")
	flags.Float64Var(&o.load.rate, "rate", 200_000, "flows to send a second, by all exporters together")
	flags.IntVar(&o.load.exporters, "exporters", 10, "exporters, which speak sFlow, NetFlow v5, NetFlow v9 and IPFIX in turn")
	flags.Float64Var(&seconds, "seconds", 60, "seconds to send for")
	flags.StringVar(&o.output, "output", "table", "table or json")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "directory below which the data goes, for as long as it is needed")
	flags.StringVar(&o.netmeta, "netmeta", ".build/netmeta", "program")
	flags.StringVar(&o.standalone, "standalone", ".build/netmeta-standalone", "program")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.load.duration = time.Duration(seconds * float64(time.Second))
	_, known := shapes[o.shape]
	if err := script.Check(flags, o.output); err != nil {
		return o, err
	}
	switch {
	case !known && o.shape != both:
		return o, fmt.Errorf("--shape %q: must be standalone, processes or both", o.shape)
	case o.load.rate <= 0 || o.load.rate > generate.MaxRate:
		return o, fmt.Errorf("--rate %g: must be above 0 and at most %d", o.load.rate, generate.MaxRate)
	case o.load.exporters < 1 || o.load.exporters > generate.MaxExporters:
		return o, fmt.Errorf("--exporters %d: must be 1 to %d", o.load.exporters, generate.MaxExporters)
	case seconds <= 0:
		return o, fmt.Errorf("--seconds %g: must be above 0", seconds)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	names := []string{"standalone", "processes"}
	var r report
	for _, name := range names {
		if o.shape != both && o.shape != name {
			continue
		}
		fmt.Fprintf(progress, "%s: starting\n", name)
		m, err := o.measure(ctx, name, progress)
		if err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
		r = append(r, m)
	}
	if o.output == "json" {
		return r.writeJSON(out)
	}
	return r.writeTable(out)
}

// measure starts a shape of NetMeta on an empty database, sends to it and stops it.
func (o options) measure(ctx context.Context, shape string, progress io.Writer) (m measurement, err error) {
	dir, err := os.MkdirTemp(o.dir, "netmeta-path-")
	if err != nil {
		return m, fmt.Errorf("--dir: %w", err)
	}
	defer os.RemoveAll(dir)
	s := &site{dir: dir}
	defer s.stop()
	if err := shapes[shape](o, s); err != nil {
		return m, err
	}
	m, err = s.measure(ctx, o.load, progress)
	m.shape = shape
	for _, p := range s.parts {
		if p.Ended() {
			return m, fmt.Errorf("%s ended:\n%s", p.name, lastLines(p.Log()))
		}
	}
	return m, err
}

// lastLines are the last of what a program wrote.
func lastLines(log string) string {
	const most = 2000
	return log[max(0, len(log)-most):]
}
