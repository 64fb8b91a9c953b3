package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/queue"
)

const (
	demoSeed   = 1
	demoPeriod = 24 * time.Hour
	// demoFlush is how many flows of history are under way at once: few enough for
	// the queue's buffer.
	demoFlush = 100_000
)

// playDemo lays down the last 24 hours, or what is missing of them, and then plays
// live exporters until ctx ends.
func (s *standalone) playDemo(ctx context.Context) error {
	now := time.Now().Truncate(time.Second)
	day := generate.HistoryOptions{From: now.Add(-demoPeriod), To: now, Flows: s.demoFlows, Seed: demoSeed}
	if err := s.storeHistory(ctx, day); err != nil {
		return fmt.Errorf("store the history of the demo: %w", err)
	}
	s.historyStored.Store(true)
	options := generate.DemoOptions{Seed: demoSeed, Rate: day.Rate()}
	for _, l := range s.collector.Listeners() {
		address := loopback(l.Addr)
		switch l.Name {
		case "sflow":
			options.SFlow = address
		case "netflow":
			options.NetFlow = address
		}
	}
	slog.Info("demo: playing four exporters", "flows per second", int(options.Rate))
	return generate.Demo(ctx, options)
}

// loopback is the address under which this host reaches a listener of its own.
func loopback(a netip.AddrPort) string {
	if a.Addr().IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(a.Port()))
	}
	return a.String()
}

// storeHistory sends the part of day that is not stored yet through Kafka and waits
// until it can be queried.
func (s *standalone) storeHistory(ctx context.Context, day generate.HistoryOptions) error {
	// What an earlier run has left in Kafka is not missing.
	if err := s.caughtUp(ctx); err != nil {
		return err
	}
	history, err := s.missing(ctx, day)
	if err != nil || history.Flows == 0 {
		return err
	}
	slog.Info("demo: making up the past", "from", history.From.Format(time.DateTime), "flows", history.Flows)
	// A queue of its own, so that waiting for it does not mean waiting for exporters.
	producer, err := queue.Open(queue.Config{Brokers: []string{s.broker.Address()}, Topic: flow.Topic})
	if err != nil {
		return err
	}
	defer producer.Close(ctx)
	writer, sent, progress := producer.NewWriter(), 0, time.Now()
	err = generate.History(ctx, history, func(r *flow.Record) error {
		writer.Append(r)
		sent++
		if sent%demoFlush != 0 {
			return nil
		}
		if time.Since(progress) > 2*time.Second {
			progress = time.Now()
			slog.Info("demo: making up the past", "done", fmt.Sprintf("%d %%", 100*sent/history.Flows))
		}
		return producer.Flush(ctx)
	})
	if err != nil {
		return err
	}
	if err := producer.Flush(ctx); err != nil {
		return err
	}
	return s.caughtUp(ctx)
}

// missing is the part of day after the newest flow that is stored.
func (s *standalone) missing(ctx context.Context, day generate.HistoryOptions) (generate.HistoryOptions, error) {
	var newest time.Time
	if err := s.db.QueryRowContext(ctx, `SELECT max(TimeReceived) FROM flows_raw`).Scan(&newest); err != nil {
		return day, err
	}
	if newest.After(day.From) {
		whole := day.To.Sub(day.From)
		day.From = newest.Add(time.Second).Local()
		day.Flows = int(float64(day.Flows) * max(0, day.To.Sub(day.From).Seconds()) / whole.Seconds())
	}
	return day, nil
}

// caughtUp waits until ClickHouse has stored what is in Kafka.
func (s *standalone) caughtUp(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if lag, err := s.lag(ctx); err == nil && lag == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
