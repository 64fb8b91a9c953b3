package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/metrics"
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

// checks are what /healthz and /readyz of the metrics' address answer.
func (s *standalone) checks() []metrics.Check {
	return []metrics.Check{
		{Name: "collector", Live: true, Probe: s.probeCollector},
		{Name: "storage", Probe: func() error {
			if !s.collecting.Load() {
				return errStarting
			}
			return s.ready(context.Background())
		}},
	}
}

var errStarting = errors.New("is starting")

// probeCollector asks all sockets whether they are read.
func (s *standalone) probeCollector() error {
	if !s.collecting.Load() {
		return nil
	}
	for _, c := range s.collector.Checks() {
		if err := c.Probe(); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
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
