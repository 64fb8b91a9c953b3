// Command topic looks into Kafka: which topics there are, how far they are read, and what
// is in them, as JSON.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const usage = `Usage: topic [--kafka HOST:PORT] list
       topic [--kafka HOST:PORT] read TOPIC [--from end|beginning|OFFSET] [--count N] [--raw]

list shows topics with their messages, and how far each group has read them.
read writes FlowMessages, InterfaceCounters, PipelineCounters and Traces as JSON, one on a line,
until Ctrl-C; messages that are none are written as hexadecimal digits. With --raw,
Kafka's messages as they are.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(os.Stderr, usage)
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "topic:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("topic", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	kafka := flags.String("kafka", "netmeta-kafka-bootstrap:9092", "")
	from := flags.String("from", "end", "")
	count := flags.Int("count", 0, "")
	raw := flags.Bool("raw", false, "")
	var words []string
	for len(args) > 0 { // flags may stand before and after words
		if err := flags.Parse(args); err != nil {
			return err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	brokers := kgo.SeedBrokers(strings.Split(*kafka, ",")...)
	switch {
	case len(words) == 1 && words[0] == "list":
		return list(ctx, brokers, out)
	case len(words) == 2 && words[0] == "read":
		offset, err := parseOffset(*from)
		if err != nil {
			return err
		}
		return read(ctx, brokers, words[1], offset, *count, *raw, out)
	}
	return flag.ErrHelp
}

func parseOffset(text string) (kgo.Offset, error) {
	switch text {
	case "end":
		return kgo.NewOffset().AtEnd(), nil
	case "beginning":
		return kgo.NewOffset().AtStart(), nil
	}
	var at int64
	if _, err := fmt.Sscanf(text, "%d", &at); err != nil || at < 0 {
		return kgo.Offset{}, fmt.Errorf("--from: %q is not end, beginning or an offset", text)
	}
	return kgo.NewOffset().At(at), nil
}

func list(ctx context.Context, brokers kgo.Opt, out io.Writer) error {
	client, err := kgo.NewClient(brokers)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka for topics: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka for topics: %w", err)
	}
	lags, err := admin.Lag(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka for groups: %w", err)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "topic\tpartition\tfirst\tnext\tread by, up to")
	for _, end := range sorted(ends) {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		var readers []string
		for _, group := range lags.Sorted() {
			if lag, ok := group.Lag.Lookup(end.Topic, end.Partition); ok && lag.Commit.At >= 0 {
				readers = append(readers, fmt.Sprintf("%s %d (%d behind)", group.Group, lag.Commit.At, lag.Lag))
			}
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\n", end.Topic, end.Partition, start.Offset, end.Offset, strings.Join(readers, ", "))
	}
	return table.Flush()
}

func sorted(offsets kadm.ListedOffsets) []kadm.ListedOffset {
	var all []kadm.ListedOffset
	offsets.Each(func(o kadm.ListedOffset) { all = append(all, o) })
	slices.SortFunc(all, func(a, b kadm.ListedOffset) int {
		if a.Topic != b.Topic {
			return strings.Compare(a.Topic, b.Topic)
		}
		return int(a.Partition - b.Partition)
	})
	return all
}

// read writes count Kafka messages of a topic, or with 0 all until ctx ends.
func read(ctx context.Context, brokers kgo.Opt, topic string, from kgo.Offset, count int, raw bool, out io.Writer) error {
	client, err := kgo.NewClient(brokers, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(from))
	if err != nil {
		return err
	}
	defer client.Close()
	for seen := 0; ; {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err0(); err != nil {
			return err
		}
		for _, failed := range fetched.Errors() {
			return fmt.Errorf("read %s: %w", failed.Topic, failed.Err)
		}
		for _, record := range fetched.Records() {
			if err := write(out, record, raw); err != nil {
				return err
			}
			if seen++; seen == count {
				return nil
			}
		}
	}
}

func write(out io.Writer, record *kgo.Record, raw bool) error {
	if raw {
		_, err := out.Write(record.Value)
		return err
	}
	lines, err := decode(record.Topic, record.Value)
	for _, line := range lines {
		if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
			return err
		}
	}
	if err != nil {
		_, err = fmt.Fprintf(out, "{\"offset\": %d, \"error\": %q, \"message\": %q}\n", record.Offset, err, hex.EncodeToString(record.Value))
	}
	return err
}
