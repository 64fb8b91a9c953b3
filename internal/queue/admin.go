package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// PartitionLag is how far a consumer group is behind in one partition, in messages.
type PartitionLag struct {
	Partition int
	Start     int64 // first offset that is still stored
	End       int64 // offset of the next message
	Committed int64 // offset the group goes on from; -1 when it has committed none
}

// Lag returns the number of messages that the group has yet to read. Those that
// Kafka has deleted do not count.
func (l PartitionLag) Lag() int64 { return max(l.End-max(l.Committed, l.Start), 0) }

// Lag returns where group stands in each partition of the topic, by number.
func (p *Producer) Lag(ctx context.Context, group string) ([]PartitionLag, error) {
	lags, err := p.cluster.lag(ctx, p.cfg.Topic, group)
	if err != nil {
		return nil, fmt.Errorf("get lag of group %q: %w", group, err)
	}
	return lags, nil
}

func (c *cluster) lag(ctx context.Context, topic, group string) ([]PartitionLag, error) {
	lags, err := c.bounds(ctx, topic)
	if err != nil {
		return nil, err
	}
	// Read later than the ends: a group that keeps up may seem to be ahead.
	committed, err := c.committed(ctx, topic, group, len(lags))
	if err != nil {
		return nil, fmt.Errorf("fetch committed offsets of topic %q: %w", topic, err)
	}
	for _, o := range committed {
		if o.Error != nil {
			return nil, fmt.Errorf("fetch committed offset of topic %q, partition %d: %w", topic, o.Partition, o.Error)
		}
		lags[o.Partition].Committed = o.CommittedOffset
	}
	return lags, nil
}

// bounds returns the first and last offsets of each partition.
func (c *cluster) bounds(ctx context.Context, topic string) ([]PartitionLag, error) {
	t, err := c.describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	var wanted []kafka.OffsetRequest
	for i := range t.partitions {
		wanted = append(wanted, kafka.FirstOffsetOf(i), kafka.LastOffsetOf(i))
	}
	offsets, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: wanted}})
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %q: %w", topic, err)
	}
	lags := make([]PartitionLag, t.partitions)
	for _, o := range offsets.Topics[topic] {
		if o.Error != nil {
			return nil, fmt.Errorf("list offsets of topic %q, partition %d: %w", topic, o.Partition, o.Error)
		}
		lags[o.Partition] = PartitionLag{Partition: o.Partition, Start: o.FirstOffset, End: o.LastOffset, Committed: none}
	}
	return lags, nil
}

// committed returns the offsets that group has committed in n partitions; nothing
// for a group that Kafka does not know. A cluster in which no group has ever read
// makes the topic of their offsets at the first question and has no coordinator
// until then, so it is asked again for up to Config.Timeout.
func (c *cluster) committed(ctx context.Context, topic, group string, n int) ([]kafka.OffsetFetchPartition, error) {
	ctx, cancel := context.WithTimeout(ctx, c.client.Timeout)
	defer cancel()
	partitions := make([]int, n)
	for i := range partitions {
		partitions[i] = i
	}
	for failures := 1; ; failures++ {
		res, err := c.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: partitions}})
		if err != nil {
			return nil, err
		}
		err = res.Error
		if answers := res.Topics[topic]; err == nil && len(answers) > 0 {
			err = answers[0].Error // version 1 of the request has no error of its own
		}
		switch {
		case errors.Is(err, kafka.GroupIdNotFound):
			return nil, nil
		case err == nil:
			return res.Topics[topic], nil
		case !isCoordinatorMissing(err) || ctx.Err() != nil:
			return nil, err
		}
		pause(ctx, backoff(failures))
	}
}

func isCoordinatorMissing(err error) bool {
	return errors.Is(err, kafka.NotCoordinatorForGroup) ||
		errors.Is(err, kafka.GroupCoordinatorNotAvailable) ||
		errors.Is(err, kafka.GroupLoadInProgress)
}
