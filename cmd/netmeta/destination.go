package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/output"
	"github.com/leoluk/NetMeta/internal/queue"
)

// destination is where flows go.
type destination struct {
	collect.Outputs
	name   string
	checks []metrics.Check
	close  func(context.Context) error // writes what is left, until ctx ends
}

// openFile has flows written to a file. Interface counters are left out: nothing would
// tell them from flows there.
func openFile(path string) (destination, error) {
	file, err := output.Open(path)
	if err != nil {
		return destination{}, err
	}
	return destination{
		name:    path,
		Outputs: collect.Outputs{Flows: func() collect.Writer { return file.NewWriter() }},
		close:   func(context.Context) error { return file.Close() },
	}, nil
}

// kafkaFlags are the flags that say how to reach Kafka and what to do while it is away.
type kafkaFlags struct {
	queue         queue.Config
	countersTopic string
	pipelineTopic string
	spoolSize     string
}

func (k *kafkaFlags) addKafkaFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&k.queue.Brokers, "kafka", []string{"127.0.0.1:9092"}, "Kafka brokers to start from, HOST:PORT, separated by commas")
	flags.StringVar(&k.queue.Topic, "topic", flow.Topic, "Kafka topic to write FlowMessages to")
	flags.StringVar(&k.countersTopic, "counters-topic", flow.CountersTopic, `Kafka topic to write InterfaceCounters to; "" to leave them out`)
	flags.StringVar(&k.pipelineTopic, "pipeline-topic", flow.PipelineTopic, `Kafka topic to write PipelineCounters to, the collector's own counters; "" to leave them out`)
	k.addSecurityFlags(cmd)
	flags.StringVar(&k.queue.Compression, "compression", "lz4", "how to compress what goes to Kafka: lz4, zstd, snappy, gzip or none")
	completeEnum(cmd, "compression", "lz4", "zstd", "snappy", "gzip", "none")
	flags.IntVar(&k.queue.Buffer, "kafka-buffer", 64<<20, "bytes of encoded flows that may wait for Kafka in memory; what exceeds it is dropped and counted")
	flags.StringVar(&k.spoolSize, "spool-size", "8GiB", "with --state-dir: most that flows waiting for Kafka may take on disk, compressed")
	flags.StringVar(&k.queue.SpoolDrop, "spool-drop", "oldest", "what to drop, and count, when that is reached: oldest or newest")
	completeEnum(cmd, "spool-drop", "oldest", "newest")
}

func (k *kafkaFlags) addSecurityFlags(cmd *cobra.Command) {
	flags, s := cmd.Flags(), &k.queue.Security
	flags.BoolVar(&s.TLS, "kafka-tls", false, "encrypt the connections to Kafka; the other flags for TLS imply it")
	flags.StringVar(&s.CAFile, "kafka-ca", "", "PEM file with the authorities that brokers' certificates may come from (default: the system's)")
	flags.StringVar(&s.CertFile, "kafka-cert", "", "PEM file with the certificate to show to brokers")
	flags.StringVar(&s.KeyFile, "kafka-key", "", "PEM file with the key of --kafka-cert")
	flags.StringVar(&s.ServerName, "kafka-server-name", "", "name in the brokers' certificates, where it is not the host that is connected to")
	flags.BoolVar(&s.InsecureSkipVerify, "kafka-insecure", false, "believe any certificate: encrypts, but does not make sure who it is")
	flags.StringVar(&s.SASL, "kafka-sasl", "", "how to log in to Kafka: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	flags.StringVar(&s.User, "kafka-user", "", "user to log in as")
	flags.StringVar(&s.PasswordFile, "kafka-password-file", "", "file with the password of --kafka-user")
	completeEnum(cmd, "kafka-sasl", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
}

// Counters of thousands of interfaces, or exporters, are few beside flows.
const (
	countersBuffer = 4 << 20
	countersSpool  = 256 << 20
	pipelineSpool  = 64 << 20
	pipelineFlush  = 2 * time.Second
)

// leastSpool holds some batches, whatever they compress to.
const leastSpool = 16 << 20

// openKafka opens a producer for each topic. All go on trying while Kafka is away, and
// have batches wait in the directory spool if that is not empty.
func (k *kafkaFlags) openKafka(spool string) (destination, error) {
	size, err := humanize.ParseBytes(k.spoolSize)
	switch {
	case err != nil || size > math.MaxInt64:
		return destination{}, fmt.Errorf("--spool-size: %q is no size such as 500MiB or 8GiB", k.spoolSize)
	case size < leastSpool:
		return destination{}, fmt.Errorf("--spool-size: %s is too little: at least %s are needed (to have no spool, leave --state-dir out)", k.spoolSize, humanize.IBytes(leastSpool))
	case k.countersTopic == k.queue.Topic:
		return destination{}, fmt.Errorf("--topic and --counters-topic are both %q: flows and counters need a topic each", k.countersTopic)
	case k.pipelineTopic == k.queue.Topic || k.pipelineTopic == k.countersTopic && k.pipelineTopic != "":
		return destination{}, fmt.Errorf("--pipeline-topic is %q, as another topic: what the collector counts needs one of its own", k.pipelineTopic)
	}
	k.queue.Spool, k.queue.SpoolBytes = spool, int64(size)
	flows, err := queue.Open(k.queue)
	if err != nil {
		return destination{}, err
	}
	d := destination{
		name:    "Kafka",
		Outputs: collect.Outputs{Flows: func() collect.Writer { return flows.NewWriter() }},
		checks:  []metrics.Check{{Name: "kafka", Probe: flows.Safe}},
		close:   flows.Close,
	}
	if k.countersTopic != "" {
		if err := k.addCounters(&d); err != nil {
			return destination{}, errors.Join(err, d.close(context.Background()))
		}
	}
	if k.pipelineTopic != "" {
		if err := k.addPipeline(&d); err != nil {
			return destination{}, errors.Join(err, d.close(context.Background()))
		}
	}
	return d, nil
}

// openBeside opens a producer for a topic that little is written to, beside flows.
func (k *kafkaFlags) openBeside(topic string, spool int64) (*queue.Producer, error) {
	config := k.queue
	config.Topic, config.Buffer, config.SpoolBytes = topic, countersBuffer, min(spool, config.SpoolBytes)
	return queue.Open(config)
}

func (k *kafkaFlags) addCounters(d *destination) error {
	counters, err := k.openBeside(k.countersTopic, countersSpool)
	if err != nil {
		return err
	}
	d.checks = append(d.checks, metrics.Check{Name: "kafka-counters", Probe: counters.Safe})
	d.Counters = func() collect.Writer { return counters.NewWriter() }
	d.closeWith(counters.Close)
	return nil
}

// addPipeline opens the producer of the collector's own counters. Flows do not depend on
// it: it is not among the checks, and stopping does not wait long for it, nor fail.
func (k *kafkaFlags) addPipeline(d *destination) error {
	pipeline, err := k.openBeside(k.pipelineTopic, pipelineSpool)
	if err != nil {
		return err
	}
	d.Pipeline = func() collect.Writer { return pipeline.NewWriter() }
	d.closeWith(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, pipelineFlush)
		defer cancel()
		if err := pipeline.Close(ctx); err != nil {
			slog.Warn("collect: the last of the collector's own counters did not get to Kafka; no flows are missing for that", "error", err)
		}
		return nil
	})
	return nil
}

// closeWith has a further producer closed at the same time: each gets all of the time
// that there is.
func (d *destination) closeWith(more func(context.Context) error) {
	before := d.close
	d.close = func(ctx context.Context) error {
		var closing sync.WaitGroup
		var err error
		closing.Go(func() { err = more(ctx) })
		beforeErr := before(ctx)
		closing.Wait()
		return errors.Join(beforeErr, err)
	}
}
