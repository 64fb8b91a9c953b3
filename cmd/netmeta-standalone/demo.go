package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/console"
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
	// demoGap is a gap that nobody sees.
	demoGap = 4 * time.Second
)

// playDemo lays down the last 24 hours, or what is missing of them, and then plays
// live exporters until ctx ends.
func (s *standalone) playDemo(ctx context.Context) error {
	rate, err := s.storeHistory(ctx)
	if err != nil {
		return fmt.Errorf("store the history of the demo: %w", err)
	}
	s.historyStored.Store(true)
	options := generate.DemoOptions{Seed: demoSeed, Rate: rate}
	for _, l := range s.collector.Listeners() {
		address := loopback(l.Addr)
		switch l.Name {
		case console.ListenSFlow:
			options.SFlow = address
		case console.ListenNetFlow:
			options.NetFlow = address
		}
	}
	slog.Info("demo: playing four exporters", "flows per second", int(rate))
	return generate.Demo(ctx, options)
}

// loopback is the address under which this host reaches a listener of its own.
func loopback(a netip.AddrPort) string {
	if a.Addr().IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(a.Port()))
	}
	return a.String()
}

// storeHistory fills the 24 hours until now, through Kafka, and returns the rate at
// which live traffic goes on. While a day is being stored half a minute passes, so
// what is missing by then is stored as well.
func (s *standalone) storeHistory(ctx context.Context) (rate float64, err error) {
	// A queue of its own, so that waiting for it does not mean waiting for exporters.
	producer, err := queue.Open(queue.Config{Brokers: []string{s.broker.Address()}, Topic: flow.Topic})
	if err != nil {
		return 0, err
	}
	defer producer.Close(ctx)
	writer := producer.NewWriter()
	for {
		// What is in Kafka, also of an earlier run, is not missing.
		if err := s.caughtUp(ctx); err != nil {
			return 0, err
		}
		now := time.Now().Truncate(time.Second)
		day := generate.HistoryOptions{From: now.Add(-demoPeriod), To: now, Flows: s.demoFlows, Seed: demoSeed}
		if rate == 0 {
			rate = day.Rate()
		}
		gap, err := s.missing(ctx, day)
		if err != nil || gap.To.Sub(gap.From) < demoGap || gap.Flows == 0 {
			return rate, err
		}
		if err := sendHistory(ctx, producer, writer, gap); err != nil {
			return 0, err
		}
	}
}

// sendHistory returns when Kafka has acknowledged all of history.
func sendHistory(ctx context.Context, producer *queue.Producer, writer *queue.Writer, history generate.HistoryOptions) error {
	slog.Info("demo: making up the past", "from", history.From.Format(time.DateTime), "to", history.To.Format(time.DateTime), "flows", history.Flows)
	sent, progress := 0, time.Now()
	err := generate.History(ctx, history, func(r *flow.Record) error {
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
	return producer.Flush(ctx)
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
