package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// delivery is what the commands that make flows have in common: where flows go, what
// outlives the process, and how it ends.
type delivery struct {
	kafkaFlags
	output       string
	stateDir     string
	metrics      string
	flushTimeout time.Duration
}

// addDeliveryFlags adds the flags; state says what is kept in --state-dir, address is the
// default of --metrics.
func (d *delivery) addDeliveryFlags(cmd *cobra.Command, state, address string) {
	d.addKafkaFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&d.stateDir, "state-dir", "", "directory for what has to outlive this process: "+state+" (default: nothing does)")
	flags.StringVar(&d.output, "output", "", "file to append FlowMessages to instead of Kafka; - is standard output")
	// Kubernetes kills 30 s after it has asked to stop.
	flags.DurationVar(&d.flushTimeout, "flush-timeout", 20*time.Second, "how long to wait, when stopping, for Kafka to take what was received")
	flags.StringVar(&d.metrics, "metrics", address, `address for Prometheus metrics at /metrics, and for /healthz and /readyz; "" to leave it out`)
	cmd.MarkFlagsMutuallyExclusive("kafka", "output")
}

// prepare checks the flags and makes the directory of --state-dir.
func (d *delivery) prepare() error {
	if d.flushTimeout < 0 {
		return fmt.Errorf("--flush-timeout: %v is negative", d.flushTimeout)
	}
	if d.stateDir == "" {
		return nil
	}
	if err := os.MkdirAll(d.stateDir, 0o700); err != nil {
		return fmt.Errorf("--state-dir: %w", err)
	}
	return nil
}

// stateFile returns the path of a file in --state-dir, "" where nothing is kept.
func (d *delivery) stateFile(name string) string {
	if d.stateDir == "" {
		return ""
	}
	return filepath.Join(d.stateDir, name)
}

func (d *delivery) open() (destination, error) {
	if d.output != "" {
		return openFile(d.output)
	}
	return d.openKafka(d.stateFile("spool"))
}

// flush writes what has been received.
func (d *delivery) flush(to destination) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.flushTimeout)
	defer cancel()
	if err := to.close(ctx); err != nil {
		return fmt.Errorf("write the last flows to %s: %w", to.name, err)
	}
	return nil
}
