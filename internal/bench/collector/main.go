//go:build linux

// Command collector measures flow collectors against each other: what a record costs
// each in processor time, and from which rate on it loses any. It is run by
// scripts/bench.sh, which builds and installs what it needs.
//
// Every collector gets the same datagrams over loopback, one collector at a time and
// all in every round, so that what else the machine does meets each alike. The cost
// is that of the collector's processes alone, so the sender's share of the machine does
// not matter; records are those that the collector itself says to have processed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/bench/script"
)

func main() { script.Main("collector", run) }

// options are the flags.
type options struct {
	rounds     int
	seconds    float64
	highest    float64
	captures   string
	output     string
	collectors string
	protocols  string
	netmeta    string
	goflow2    string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench.sh collector", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.IntVar(&o.rounds, "rounds", 3, "rounds; the medians are reported")
	flags.Float64Var(&o.seconds, "seconds", 4, "seconds to send for, in each measurement")
	flags.Float64Var(&o.highest, "highest", 12_800_000, "highest rate to offer, in records a second")
	flags.StringVar(&o.captures, "captures", "", "directory of the captures to replay; without it datagrams are generated")
	flags.StringVar(&o.output, "output", "table", "table or json")
	flags.StringVar(&o.collectors, "collectors", strings.Join(collectorNames(), ","), "collectors to measure, in this order")
	flags.StringVar(&o.protocols, "protocols", strings.Join(protocols, ","), "protocols to measure")
	flags.StringVar(&o.netmeta, "netmeta", ".build/netmeta", "program")
	flags.StringVar(&o.goflow2, "goflow2", ".build/bench/goflow2", "program")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if err := script.Check(flags, o.output); err != nil {
		return o, err
	}
	switch {
	case o.rounds < 1:
		return o, fmt.Errorf("--rounds %d: must be at least 1", o.rounds)
	case o.seconds <= 0:
		return o, fmt.Errorf("--seconds %g: must be above 0", o.seconds)
	case o.highest < firstRate:
		return o, fmt.Errorf("--highest %g: must be at least %d", o.highest, firstRate)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	slog.SetLogLoggerLevel(slog.LevelError) // the embedded broker's
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	var traffics []traffic
	for _, protocol := range strings.Split(o.protocols, ",") {
		t, err := load(ctx, protocol, o.captures)
		if err != nil {
			return err
		}
		traffics = append(traffics, t)
	}
	if o.captures == "" {
		fmt.Fprintln(progress, "NOTE: no captures of real exporters (--captures or NETMETA_SHARED): synthetic datagrams are sent instead")
	}
	b := bench{
		collectors: chosen, traffics: traffics, rounds: o.rounds,
		duration: time.Duration(o.seconds * float64(time.Second)), highest: o.highest, progress: progress,
	}
	report, err := b.run(ctx)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return report.writeJSON(out)
	}
	return report.writeTable(out)
}
