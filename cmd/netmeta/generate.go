package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/generate"
)

func newGenerateCommand() *cobra.Command {
	var (
		options  generate.Options
		protocol string
		start    string
		rates    []uint
		output   string
	)
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Play exporters that send synthetic sFlow, NetFlow or IPFIX",
		Long: `generate plays flow exporters whose traffic is shaped like that of a network's edge:
popular and rare hosts and networks, a mix of services, IPv4 and IPv6, now and then
an attack. At the end, also after Ctrl-C, it says exactly what it sent.

sFlow exporters are told apart by the agent address in their datagrams. NetFlow
exporters send from 127.0.0.1, 127.0.0.2 and so on if the collector is on IPv4
loopback. Elsewhere they share the host's address, as one exporter with several
observation domains.

The same seed draws the same records in the same order.`,
		Example: `  netmeta generate --flows 1000000
  netmeta generate --protocol ipfix --exporters 4 --rate 50000 --duration 1m
  netmeta generate --protocol netflow9 --to 192.0.2.10:2055 --flows 1000 --output json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Protocol, err = generate.ParseProtocol(protocol); err != nil {
				return fmt.Errorf("--protocol: %w", err)
			}
			if options.Start, err = parseStart(start); err != nil {
				return err
			}
			options.SamplingRates = nil
			for _, rate := range rates {
				options.SamplingRates = append(options.SamplingRates, uint32(min(rate, 1<<32-1)))
			}
			if err := checkOutput(output); err != nil {
				return err
			}
			return runGenerate(cmd.Context(), options, output, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&protocol, "protocol", string(generate.SFlow), "what to speak: sflow, netflow5, netflow9 or ipfix")
	flags.StringVar(&options.To, "to", "", "collector, HOST:PORT (default 127.0.0.1 and the protocol's port: 6343, 2056 for netflow5, 2055)")
	flags.Uint64Var(&options.Flows, "flows", 0, "flows to send, of all exporters together (0: until interrupted)")
	flags.DurationVar(&options.Duration, "duration", 0, "time to send for, such as 90s or 1h (0: no limit)")
	flags.Float64Var(&options.Rate, "rate", 10_000, "flows per second, of all exporters together")
	flags.IntVar(&options.Exporters, "exporters", 1, "number of exporters")
	flags.Uint64Var(&options.Seed, "seed", 1, "what to draw the traffic from")
	flags.UintSliceVar(&rates, "sampling-rate", []uint{512, 1000, 2000}, "packets per sample, dealt out to exporters, samplers and interfaces")
	flags.Float64Var(&options.IPv6Share, "ipv6-share", 0.3, "share of IPv6, 0 to 1 (netflow5 carries only IPv4)")
	flags.StringVar(&start, "start", "", "time of the first flow, as 2006-01-02T15:04:05Z (default: flows carry the time of day)")
	flags.StringVar(&output, "output", "table", "form of the report: table or json")
	completeEnum(cmd, "protocol", "sflow", "netflow5", "netflow9", "ipfix")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

func parseStart(start string) (time.Time, error) {
	if start == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return time.Time{}, fmt.Errorf("--start: %w", err)
	}
	return t, nil
}

func runGenerate(ctx context.Context, options generate.Options, output string, stdout, stderr io.Writer) error {
	if options.To == "" {
		options.To = net.JoinHostPort("127.0.0.1", fmt.Sprint(options.Protocol.DefaultPort()))
	}
	progress := newProgress(stderr, "flows", options.Flows)
	options.Progress = progress.update
	report, err := generate.Run(ctx, options)
	progress.done()
	if err != nil && report.Datagrams == 0 {
		return err
	}
	if options.Protocol != generate.SFlow && options.Exporters > 1 && len(report.Exporters) == 1 {
		fmt.Fprintf(stderr, "%d exporters sent from one address, %s: they differ by observation domain, the report is their sum\n",
			options.Exporters, report.Exporters[0].Address)
	}
	if report.Refused > 0 {
		fmt.Fprintf(stderr, "%d of %d datagrams came back: nothing listened at %s\n", report.Refused, report.Datagrams, options.To)
	}
	if writing := writeReport(stdout, output, report, report.WriteTable); writing != nil {
		return writing
	}
	if err == nil && report.Unheard() {
		return fmt.Errorf("nothing listens at %s: start a collector first", options.To)
	}
	return err
}
