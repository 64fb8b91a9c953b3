package kafkatest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// CreateTopic makes a topic that must not exist yet, at any broker, genuine or not.
func CreateTopic(t testing.TB, brokers []string, topic string, partitions int, config ...kafka.ConfigEntry) {
	t.Helper()
	administer(t, brokers, func(ctx context.Context, client *kafka.Client) error {
		res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: -1, ConfigEntries: config}},
		})
		if err == nil {
			err = res.Errors[topic]
		}
		return err
	})
}

// DeleteTopic deletes a topic with all it holds.
func DeleteTopic(t testing.TB, brokers []string, topic string) {
	t.Helper()
	administer(t, brokers, func(ctx context.Context, client *kafka.Client) error {
		res, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err == nil {
			err = res.Errors[topic]
		}
		return err
	})
}

func administer(t testing.TB, brokers []string, request func(context.Context, *kafka.Client) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport}
	err := request(ctx, client)
	// A broker that was away answers before its controller knows that it is back.
	for errors.Is(err, kafka.BrokerNotAvailable) && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		err = request(ctx, client)
	}
	if err != nil {
		t.Fatalf("change a topic at %v: %v", brokers, err)
	}
}
