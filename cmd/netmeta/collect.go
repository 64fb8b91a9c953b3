package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// collecting is what the flags of collect say.
type collecting struct {
	collect collect.Flags
	delivery
	handover bool
}

func newCollectCommand() *cobra.Command {
	var c collecting
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Receive sFlow, NetFlow and IPFIX and write FlowMessages to Kafka",
		Long: `collect receives sFlow, NetFlow and IPFIX and writes every flow to Kafka as a
FlowMessage, the interface counters of sFlow agents, and names of interfaces that others
send in options data, as InterfaceCounters, and every 10 seconds its own counters as
PipelineCounters.

While Kafka is away, flows wait in memory, as many as fit into --kafka-buffer, or with
--state-dir on disk. At SIGTERM or Ctrl-C it first writes what it has received; a second
Ctrl-C ends it at once. What is lost on the way is counted in its metrics.

With --output it writes flows to a file instead, each preceded by its length, which is
what a Kafka message holds too.`,
		Example: `  netmeta collect --kafka broker1:9092,broker2:9092 --state-dir /var/lib/netmeta
  netmeta collect --allow 192.0.2.0/24,2001:db8::/32 --exporters exporters.json
  netmeta collect --sflow 192.0.2.10:6343 --netflow "" --netflow-legacy ""
  netmeta collect --output flows.bin`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	c.collect.Add(flags)
	c.addDeliveryFlags(cmd, "flows that wait for Kafka, and the exporters' templates and sampling rates", "127.0.0.1:9100")
	flags.BoolVar(&c.handover, "handover", false, "with --state-dir: take over from the collector that uses the directory, its sockets included, and hand over to the next one that asks; then nothing is lost when a new version takes the place of an old one (Linux only)")
	cmd.MarkFlagsMutuallyExclusive("handover", "output")
	return cmd
}

// run collects until ctx ends, and then writes what is left.
func (c *collecting) run(ctx context.Context) error {
	config, err := c.collect.Config()
	if err != nil {
		return err
	}
	if c.handover && c.stateDir == "" {
		return errors.New("--handover needs --state-dir, the directory that both collectors have")
	}
	if err := c.prepare(); err != nil {
		return err
	}
	config.StateFile = c.stateFile("exporters.json")
	if c.handover {
		return c.takeTurns(ctx, config)
	}
	r, err := c.start(config)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return r.stop()
}

// running is a collector with all that it takes.
type running struct {
	*collecting
	*collect.Collector
	to     destination
	server *http.Server
}

func (c *collecting) start(config collect.Config) (*running, error) {
	to, err := c.open()
	if err != nil {
		return nil, err
	}
	collector, err := collect.Start(config, to.Outputs)
	if err != nil {
		return nil, errors.Join(err, c.flush(to))
	}
	server, err := metrics.Serve(c.metrics, append(collector.Checks(), to.checks...)...)
	if err != nil {
		collector.Stop()
		return nil, errors.Join(fmt.Errorf("--metrics: %w", err), c.flush(to))
	}
	return &running{c, collector, to, server}, nil
}

// stop ends receiving, and writes what was received.
func (r *running) stop() error {
	defer r.server.Close()
	slog.Info("collect: stopping, writing what was received to "+r.to.name, "timeout", r.flushTimeout)
	r.Stop()
	return r.flush(r.to)
}
