package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/output"
	"github.com/leoluk/NetMeta/internal/queue"
)

func newCollectCommand() *cobra.Command {
	var (
		config       collect.Config
		kafka        queue.Config
		file         string
		address      string
		flushTimeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Receive sFlow, NetFlow and IPFIX and write FlowMessages to Kafka",
		Long: `collect receives sFlow, NetFlow and IPFIX and writes every flow to Kafka as a
FlowMessage. While Kafka is away, flows wait in memory, as many as fit into
--kafka-buffer. At SIGTERM or Ctrl-C it first writes what it has received; a second
Ctrl-C ends it at once. What is lost on the way is counted in its metrics.

With --output it writes them to a file instead, each preceded by its length, which is
what a Kafka message holds too.`,
		Example: `  netmeta collect --kafka broker1:9092,broker2:9092
  netmeta collect --kafka 127.0.0.1:9092 --sflow 192.0.2.10:6343 --netflow "" --netflow-legacy ""
  netmeta collect --output flows.bin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			open := func() (destination, error) { return openKafka(kafka) }
			if file != "" {
				open = func() (destination, error) { return openFile(file) }
			}
			return runCollect(cmd.Context(), config, open, address, flushTimeout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config.SFlow, "sflow", ":6343", `UDP address for sFlow v5; "" to leave it out`)
	flags.StringVar(&config.NetFlow, "netflow", ":2055", `UDP address for NetFlow v9 and IPFIX (v5 is recognised too); "" to leave it out`)
	flags.StringVar(&config.NetFlowLegacy, "netflow-legacy", ":2056", `UDP address for NetFlow v5; "" to leave it out`)
	flags.IntVar(&config.SocketBuffer, "socket-buffer", collect.DefaultSocketBuffer, "bytes of receive buffer to ask of the kernel for each socket")
	flags.Uint64Var(&config.DefaultRate, "default-sampling-rate", 0, "sampling rate of exporters that do not say theirs (0: count 1 and mark it as unknown)")
	flags.StringSliceVar(&kafka.Brokers, "kafka", []string{"127.0.0.1:9092"}, "Kafka brokers to start from, HOST:PORT, separated by commas")
	flags.StringVar(&kafka.Topic, "topic", flow.Topic, "Kafka topic to write FlowMessages to")
	flags.IntVar(&kafka.Buffer, "kafka-buffer", 64<<20, "bytes of encoded flows that may wait for Kafka; what exceeds it is dropped and counted")
	flags.StringVar(&file, "output", "", "file to append FlowMessages to instead of Kafka; - is standard output")
	// Kubernetes kills 30 s after it has asked to stop.
	flags.DurationVar(&flushTimeout, "flush-timeout", 20*time.Second, "how long to wait, when stopping, for Kafka to take what was received")
	flags.StringVar(&address, "metrics", "127.0.0.1:9100", `address for Prometheus metrics at /metrics; "" to leave it out`)
	cmd.MarkFlagsMutuallyExclusive("kafka", "output")
	return cmd
}

// destination is where flows go.
type destination struct {
	name      string
	newWriter func() collect.Writer
	close     func(context.Context) error // writes what is left, until ctx ends
}

func openKafka(config queue.Config) (destination, error) {
	producer, err := queue.Open(config)
	if err != nil {
		return destination{}, err
	}
	return destination{"Kafka", func() collect.Writer { return producer.NewWriter() }, producer.Close}, nil
}

func openFile(path string) (destination, error) {
	file, err := output.Open(path)
	if err != nil {
		return destination{}, err
	}
	closeFile := func(context.Context) error { return file.Close() }
	return destination{path, func() collect.Writer { return file.NewWriter() }, closeFile}, nil
}

func runCollect(ctx context.Context, config collect.Config, open func() (destination, error), metricsAddress string, flushTimeout time.Duration) error {
	server, err := metrics.Serve(metricsAddress)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()

	to, err := open()
	if err != nil {
		return err
	}
	collector, err := collect.Start(config, to.newWriter)
	if err != nil {
		return errors.Join(err, to.close(ctx))
	}
	<-ctx.Done()
	slog.Info("collect: stopping, writing what was received to "+to.name, "timeout", flushTimeout)
	collector.Stop()
	flush, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := to.close(flush); err != nil {
		return fmt.Errorf("write the last flows to %s: %w", to.name, err)
	}
	return nil
}
