package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// TopicState is what Kafka says of a topic and of the group that reads it.
type TopicState struct {
	Topic, Group string
	Missing      bool
	Partitions   []PartitionLag
	Err          error // why the rest is not known
}

// Lag is how many messages the group has yet to read.
func (s TopicState) Lag() (messages int64) {
	for _, p := range s.Partitions {
		messages += p.Lag()
	}
	return messages
}

// Committed is the sum of what the group has read of each partition.
func (s TopicState) Committed() (messages int64) {
	for _, p := range s.Partitions {
		messages += max(p.Committed, 0)
	}
	return messages
}

// Survey asks Kafka about topics, each with the group that reads it, without writing
// anything. The error is that of a cluster that does not answer. Of cfg only Brokers,
// Security and Timeout count.
func Survey(ctx context.Context, cfg Config, topics []TopicState) ([]TopicState, error) {
	var found []TopicState
	for _, t := range topics {
		t, err := survey(ctx, cfg, t)
		if err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, nil
}

// survey asks about one topic. A transport of kafka-go knows only the topics that it was
// made for.
func survey(ctx context.Context, cfg Config, t TopicState) (TopicState, error) {
	cfg.Topic = t.Topic
	cfg.setDefaults()
	c, err := newCluster(cfg)
	if err != nil {
		return t, fmt.Errorf("connect to Kafka: %w", err)
	}
	defer c.close()
	if _, err := c.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{}); err != nil {
		return t, err
	}
	t.Partitions, t.Err = c.lag(ctx, t.Topic, t.Group)
	if errors.Is(t.Err, kafka.UnknownTopicOrPartition) {
		t.Missing, t.Err = true, nil
	}
	return t, nil
}

// Explain says what an error of Kafka's means, and what a person should look at.
func Explain(err error) (what, check string) { return explain(err) }

// Check says what is wrong with s, such as a file that cannot be read.
func (s Security) Check() error { return s.apply(&kafka.Transport{}) }
