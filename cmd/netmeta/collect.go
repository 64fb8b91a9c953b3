package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// collecting is what the flags of collect say.
type collecting struct {
	collect collect.Flags
	kafkaFlags
	output       string
	stateDir     string
	handover     bool
	metrics      string
	flushTimeout time.Duration
}

func newCollectCommand() *cobra.Command {
	var c collecting
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Receive sFlow, NetFlow and IPFIX and write FlowMessages to Kafka",
		Long: `collect receives sFlow, NetFlow and IPFIX and writes every flow to Kafka as a
FlowMessage, the interface counters of sFlow agents as InterfaceCounters, and every 10
seconds its own counters as PipelineCounters.

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
	c.addKafkaFlags(cmd)
	flags.StringVar(&c.stateDir, "state-dir", "", "directory for what has to outlive this process: flows that wait for Kafka, and the exporters' templates and sampling rates (default: nothing does)")
	flags.BoolVar(&c.handover, "handover", false, "with --state-dir: take over from the collector that uses the directory, its sockets included, and hand over to the next one that asks; then nothing is lost when a new version takes the place of an old one (Linux only)")
	flags.StringVar(&c.output, "output", "", "file to append FlowMessages to instead of Kafka; - is standard output")
	// Kubernetes kills 30 s after it has asked to stop.
	flags.DurationVar(&c.flushTimeout, "flush-timeout", 20*time.Second, "how long to wait, when stopping, for Kafka to take what was received")
	flags.StringVar(&c.metrics, "metrics", "127.0.0.1:9100", `address for Prometheus metrics at /metrics, and for /healthz and /readyz; "" to leave it out`)
	cmd.MarkFlagsMutuallyExclusive("kafka", "output")
	cmd.MarkFlagsMutuallyExclusive("handover", "output")
	return cmd
}

// run collects until ctx ends, and then writes what is left.
func (c *collecting) run(ctx context.Context) error {
	config, err := c.collect.Config()
	if err != nil {
		return err
	}
	if c.flushTimeout < 0 {
		return fmt.Errorf("--flush-timeout: %v is negative", c.flushTimeout)
	}
	if c.handover && c.stateDir == "" {
		return errors.New("--handover needs --state-dir, the directory that both collectors have")
	}
	if err := c.prepareState(&config); err != nil {
		return fmt.Errorf("--state-dir: %w", err)
	}
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

// flush writes what has been received.
func (c *collecting) flush(to destination) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.flushTimeout)
	defer cancel()
	if err := to.close(ctx); err != nil {
		return fmt.Errorf("write the last flows to %s: %w", to.name, err)
	}
	return nil
}

// prepareState makes the directory of --state-dir.
func (c *collecting) prepareState(config *collect.Config) error {
	if c.stateDir == "" {
		return nil
	}
	config.StateFile = filepath.Join(c.stateDir, "exporters.json")
	return os.MkdirAll(c.stateDir, 0o700)
}

func (c *collecting) open() (destination, error) {
	switch {
	case c.output != "":
		return openFile(c.output)
	case c.stateDir != "":
		return c.openKafka(filepath.Join(c.stateDir, "spool"))
	}
	return c.openKafka("")
}
