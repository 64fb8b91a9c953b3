package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic is a topic as it shall be.
type Topic struct {
	Name string
	// Partitions is how many it has at least: an existing topic gets more, never less.
	Partitions int32
	// RetentionTime and RetentionBytes (per partition) limit what is kept of the
	// topic, consumed or not; 0 means no limit. They are applied on every start.
	RetentionTime  time.Duration
	RetentionBytes int64
}

// ensureTopics creates topics or brings existing ones to what they shall be. It goes
// through the protocol, because the broker only takes its own list of topics
// into account when the data directory is empty, and knows no settings there.
func ensureTopics(ctx context.Context, client *kgo.Client, topics []Topic) error {
	for _, topic := range topics {
		for _, step := range []struct {
			what string
			do   func(context.Context, *kgo.Client, Topic) error
		}{
			{"create", createTopic},
			{"set the partitions of", growTopic},
			{"set the retention of", retainTopic},
		} {
			if err := step.do(ctx, client, topic); err != nil {
				return fmt.Errorf("%s topic %s with %d partitions on the embedded broker: %w", step.what, topic.Name, topic.Partitions, err)
			}
		}
	}
	return nil
}

func createTopic(ctx context.Context, client *kgo.Client, wanted Topic) error {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = wanted.Name, wanted.Partitions, 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
	}
	return nil
}

func growTopic(ctx context.Context, client *kgo.Client, wanted Topic) error {
	described := kmsg.NewMetadataRequestTopic()
	described.Topic = &wanted.Name
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Topics = append(metadata.Topics, described)
	known, err := metadata.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(known.Topics) != 1 {
		return fmt.Errorf("asked for 1 topic, got %d", len(known.Topics))
	}
	if err := kerr.ErrorForCode(known.Topics[0].ErrorCode); err != nil {
		return err
	}
	if int32(len(known.Topics[0].Partitions)) >= wanted.Partitions {
		return nil
	}
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = wanted.Name, wanted.Partitions
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

func retainTopic(ctx context.Context, client *kgo.Client, wanted Topic) error {
	limit := func(n int64) *string {
		if n <= 0 {
			n = -1 // Kafka's way to say unlimited
		}
		text := strconv.FormatInt(n, 10)
		return &text
	}
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, wanted.Name
	for _, setting := range []struct {
		name  string
		value *string
	}{
		{"retention.ms", limit(wanted.RetentionTime.Milliseconds())},
		{"retention.bytes", limit(wanted.RetentionBytes)},
	} {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Op, config.Value = setting.name, kmsg.IncrementalAlterConfigOpSet, setting.value
		resource.Configs = append(resource.Configs, config)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, r := range response.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
