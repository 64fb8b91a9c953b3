package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// ready tells whether a flow that arrives now will be stored and can be queried:
// nil, or what is missing.
func (s *standalone) ready(ctx context.Context) error {
	if !s.producer.Ready() {
		if err := s.producer.Err(); err != nil {
			return fmt.Errorf("the collector cannot write to Kafka: %w", err)
		}
		return errors.New("the collector has not connected to Kafka yet")
	}
	if s.broker.Full() {
		return fmt.Errorf("the disk of %s is almost full", s.dir.path)
	}
	if err := clickhouse.Consuming(ctx, s.db); err != nil {
		return err
	}
	if s.demo && !s.historyStored.Load() {
		return errors.New("the history of the demo is being stored")
	}
	return nil
}

// lag is how many Kafka messages ClickHouse has not stored yet.
func (s *standalone) lag(ctx context.Context) (int64, error) {
	partitions, err := s.producer.Lag(ctx, clickhouse.DefaultGroup)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, p := range partitions {
		sum += p.Lag()
	}
	return sum, nil
}
