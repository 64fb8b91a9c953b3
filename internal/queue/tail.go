package queue

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Message is a message of a topic.
type Message struct {
	Partition int
	Offset    int64
	Value     []byte
}

// Tail reads the newest messages of a topic, without a consumer group: nothing is
// changed in Kafka.
type Tail struct {
	Brokers  []string // host:port of at least one
	Topic    string
	Last     int  // messages of each partition to begin with
	Follow   bool // go on with what comes
	Security Security
}

const (
	tailTimeout = 15 * time.Second
	tailBytes   = 16 << 20 // most of a message that the embedded broker takes
)

// Read calls each for the messages, one at a time, those of a partition in their order.
// It ends when each returns false, when all are read (without Follow), or when ctx ends,
// which is no error.
func (t Tail) Read(ctx context.Context, each func(Message) bool) error {
	outer := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	partitions, err := t.partitions(ctx)
	if err == nil {
		var reading sync.WaitGroup
		var one sync.Mutex
		for _, p := range partitions {
			reading.Go(func() {
				if err := t.readPartition(ctx, p, func(m Message) {
					one.Lock()
					defer one.Unlock()
					if ctx.Err() == nil && !each(m) {
						stop(nil)
					}
				}); err != nil && ctx.Err() == nil {
					stop(err)
				}
			})
		}
		reading.Wait()
		if err = context.Cause(ctx); err == context.Canceled {
			err = nil
		}
	}
	if err != nil && outer.Err() == nil {
		return fmt.Errorf("read topic %q at %s: %w", t.Topic, strings.Join(t.Brokers, ","), err)
	}
	return nil
}

// stretch is what to read of a partition: from the offset first on, and without Follow
// up to end.
type stretch struct {
	partition  int
	first, end int64
}

func (t Tail) partitions(ctx context.Context) (all []stretch, err error) {
	c, err := newCluster(Config{Brokers: t.Brokers, Topic: t.Topic, Timeout: tailTimeout, Security: t.Security})
	if err != nil {
		return nil, err
	}
	defer c.close()
	metadata, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{t.Topic}})
	if err != nil {
		return nil, err
	}
	var asked []kafka.OffsetRequest
	for _, topic := range metadata.Topics {
		if topic.Error != nil {
			return nil, topic.Error
		}
		for _, p := range topic.Partitions {
			asked = append(asked, kafka.FirstOffsetOf(p.ID), kafka.LastOffsetOf(p.ID))
		}
	}
	offsets, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{t.Topic: asked}})
	if err != nil {
		return nil, err
	}
	for _, p := range offsets.Topics[t.Topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("partition %d: %w", p.Partition, p.Error)
		}
		s := stretch{partition: p.Partition, first: max(p.FirstOffset, p.LastOffset-int64(t.Last)), end: p.LastOffset}
		if t.Follow || s.first < s.end {
			all = append(all, s)
		}
	}
	return all, nil
}

func (t Tail) readPartition(ctx context.Context, s stretch, each func(Message)) error {
	transport := &kafka.Transport{}
	if err := t.Security.apply(transport); err != nil {
		return err
	}
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: t.Brokers, Topic: t.Topic, Partition: s.partition, MaxBytes: tailBytes, MaxWait: time.Second,
		Dialer:      &kafka.Dialer{Timeout: tailTimeout, DualStack: true, TLS: transport.TLS, SASLMechanism: transport.SASL},
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) { slog.Debug("queue: " + fmt.Sprintf(format, args...)) }),
	})
	defer r.Close()
	if err := r.SetOffset(s.first); err != nil {
		return err
	}
	for t.Follow || s.first < s.end {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		s.first = m.Offset + 1
		each(Message{Partition: m.Partition, Offset: m.Offset, Value: m.Value})
	}
	return nil
}
