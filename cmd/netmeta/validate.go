package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/validation"
)

// validateOptions are the flags of netmeta validate.
type validateOptions struct {
	kafka  kafkaFlags
	last   int
	follow bool
	limit  uint64
	output string
}

func newValidateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [FILE]...",
		Short: "Say what is wrong with FlowMessages, in files or in Kafka",
		Long: `validate reads FlowMessages and says what is wrong with them, for people who write
programs that send flows: what ClickHouse would refuse (lost), what it would store as
something else (wrong), and what is hardly meant so (doubtful). Each kind of problem is
shown once, with how many flows have it and where the first one is.

It reads files, or standard input for -, that hold what a Kafka message holds:
FlowMessages, each preceded by its length as a varint, as netmeta collect --output writes
them. With --kafka it reads the newest messages of a topic, without a consumer group and
without changing anything there.

The exit status is 1 where anything is lost or wrong, 0 otherwise.`,
		Example: `  my-processor --output - | netmeta validate -
  netmeta validate --kafka 127.0.0.1:9092 --last 1000
  netmeta validate --kafka 127.0.0.1:9092 --follow
  netmeta validate --output json flows.bin`,
		RunE: func(cmd *cobra.Command, files []string) error {
			return runValidate(cmd, files, o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.kafka.queue.Brokers, "kafka", nil, "read from these Kafka brokers instead of files, HOST:PORT, separated by commas")
	flags.StringVar(&o.kafka.queue.Topic, "topic", flow.Topic, "with --kafka: topic to read")
	flags.IntVar(&o.last, "last", 100, "with --kafka: how many of the newest messages of each partition to read")
	flags.BoolVar(&o.follow, "follow", false, "with --kafka: go on with messages as they come, until Ctrl-C or --flows")
	flags.Uint64Var(&o.limit, "flows", 0, "end after so many flows, 0 for all")
	flags.StringVar(&o.output, "output", "table", "table or json")
	o.kafka.addSecurityFlags(cmd)
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

// errProblems ends the command with status 1 after its report.
var errProblems = errors.New("flows would be lost, or stored as something else: see above")

func runValidate(cmd *cobra.Command, files []string, o validateOptions) error {
	if err := o.check(files); err != nil {
		return err
	}
	shown := newProgress(cmd.ErrOrStderr(), "flows", o.limit)
	report := validation.New(o.limit)
	report.Progress = shown.update
	err := o.read(cmd.Context(), cmd.InOrStdin(), files, report)
	shown.done()
	if err != nil {
		return err
	}
	if err := writeReport(cmd.OutOrStdout(), o.output, report, report.WriteTable); err != nil {
		return err
	}
	if report.Failed() {
		return errProblems
	}
	return nil
}

func (o validateOptions) check(files []string) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	kafka := len(o.kafka.queue.Brokers) > 0
	switch {
	case kafka && len(files) > 0:
		return errors.New("files and --kafka are given: read one of the two")
	case !kafka && len(files) == 0:
		return errors.New("nothing to read: name files, - for standard input, or --kafka HOST:PORT")
	case !kafka && o.follow:
		return errors.New("--follow needs --kafka")
	case o.last < 1 && !o.follow:
		return fmt.Errorf("--last %d: must be at least 1", o.last)
	case o.last < 0:
		return fmt.Errorf("--last %d: must not be negative", o.last)
	}
	return nil
}

func (o validateOptions) read(ctx context.Context, stdin io.Reader, files []string, report *validation.Report) error {
	if len(files) == 0 {
		t := queue.Tail{Brokers: o.kafka.queue.Brokers, Topic: o.kafka.queue.Topic, Last: o.last, Follow: o.follow, Security: o.kafka.queue.Security}
		return t.Read(ctx, func(m queue.Message) bool {
			return report.Message(fmt.Sprintf("partition %d, offset %d", m.Partition, m.Offset), m.Value, time.Now())
		})
	}
	for _, name := range files {
		if err := readFile(ctx, name, stdin, report); err != nil {
			return err
		}
	}
	return nil
}

func readFile(ctx context.Context, name string, stdin io.Reader, report *validation.Report) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open a file of flows: %w", err)
		}
		defer file.Close()
		in = file
	} else {
		name = "standard input"
	}
	if err := report.File(ctx, name, in, time.Now()); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
