package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/replay"
)

func newReplayCommand() *cobra.Command {
	var (
		options replay.Options
		output  string
	)
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Send captured flow datagrams to a collector",
		Long: `replay sends the UDP payloads of captures to a collector: pcap and pcapng files, and
files that hold payloads as they were on the wire, one or several. Directories stand
for the .pcap, .pcapng, .cap, .dat and .bin files below them. A file with "tpl" or
"template" in its name is sent before those that need its templates.

A file that breaks off is sent as far as it goes. The exit code is 1 if nothing of a
file could be read or sent.`,
		Example: `  netmeta replay router.pcap
  netmeta replay --to 192.0.2.10:2055 --speed 1 netflow.pcapng
  netmeta replay --output json captures/`,
		Args: func(_ *cobra.Command, paths []string) error {
			if len(paths) == 0 {
				return errors.New("replay needs a FILE or a directory with captures: see netmeta replay --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return runReplay(cmd.Context(), options, paths, output, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.To, "to", "auto", "collector, HOST:PORT; without a port, or with port auto, datagrams go to the port of their protocol")
	flags.Uint16Var(&options.Ports.SFlow, "sflow", 6343, "collector's port for sFlow")
	flags.Uint16Var(&options.Ports.NetFlow, "netflow", 2055, "collector's port for NetFlow v9 and IPFIX")
	flags.Uint16Var(&options.Ports.NetFlowLegacy, "netflow-legacy", 2056, "collector's port for NetFlow v5")
	flags.Float64Var(&options.Speed, "speed", 0, "replay pcap files this many times as fast as captured (0: at --rate)")
	flags.Float64Var(&options.Rate, "rate", 2000, "datagrams per second, where --speed does not apply")
	flags.StringVar(&output, "output", "table", "form of the report: table or json")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

func runReplay(ctx context.Context, options replay.Options, paths []string, output string, stdout, stderr io.Writer) error {
	files, err := replay.Files(paths)
	if err != nil {
		return err
	}
	progress := newProgress(stderr, "datagrams", 0)
	options.Progress = progress.update
	report, err := replay.Run(ctx, options, files)
	progress.done()
	sent := 0
	for _, file := range report.Files {
		sent += file.Datagrams
		if file.Error != "" && file.Datagrams > 0 {
			fmt.Fprintf(stderr, "sent %d datagrams, then: %s\n", file.Datagrams, file.Error)
		}
	}
	if report.Refused > 0 {
		fmt.Fprintf(stderr, "%d of %d datagrams came back: nothing listened at %s\n", report.Refused, sent, options.To)
	}
	if len(report.Files) > 0 {
		if writing := writeReport(stdout, output, report, report.WriteTable); writing != nil {
			return writing
		}
	}
	const unknown = 3 // whether the last datagram to each port came back
	if err == nil && report.Refused > 0 && report.Refused+unknown >= sent {
		return fmt.Errorf("nothing listens at %s: start a collector first", options.To)
	}
	return err
}
