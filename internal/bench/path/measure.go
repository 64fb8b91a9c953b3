//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/bench/process"
)

// measurement is what became of a load in one shape.
type measurement struct {
	shape    string
	sent     int           // flows
	sending  time.Duration // that it took
	received int           // flows that the collector has read
	stored   int           // rows of flows_raw
	behind   time.Duration // from the last datagram to the last row
	losses   []loss
	parts    []usage
}

// usage is what one program took.
type usage struct {
	name   string
	cpu    time.Duration
	memory []int // bytes that were resident, second by second while flows were sent
	peak   int   // bytes
}

// lost is how many flows are in no row.
func (m measurement) lost() int { return max(0, m.sent-m.stored) }

func (m measurement) offered() float64 { return float64(m.sent) / m.sending.Seconds() }

func (m measurement) cpu() (sum time.Duration) {
	for _, p := range m.parts {
		sum += p.cpu
	}
	return sum
}

// perCPUSecond is how many flows a second of processor time is enough for.
func (m measurement) perCPUSecond() float64 { return float64(m.stored) / m.cpu().Seconds() }

const (
	// idle is for how long no row has to be added for the rest to be lost.
	idle = 15 * time.Second
	// mergeLimit ends the wait for merges.
	mergeLimit = time.Minute
)

// measure sends to s and waits until everything is stored and merged: merging is part of
// what a flow costs.
func (s *site) measure(ctx context.Context, l load, progress io.Writer) (m measurement, err error) {
	before, err := s.processorTimes()
	if err != nil {
		return m, err
	}
	memory := s.watchMemory()
	m.sent, m.sending, err = l.send(ctx, s.listeners)
	samples, watchErr := memory()
	if err != nil {
		return m, err
	}
	if watchErr != nil {
		return m, watchErr
	}
	fmt.Fprintf(progress, "%s flows sent in %.1f s, waiting for them to be stored\n", humanize.Comma(int64(m.sent)), m.sending.Seconds())
	if m.stored, m.behind, err = s.waitStored(ctx, m.sent); err != nil {
		return m, err
	}
	if err := s.waitMerged(ctx); err != nil {
		return m, err
	}
	after, err := s.processorTimes()
	if err != nil {
		return m, err
	}
	for i, p := range s.parts {
		held, err := p.Memory()
		if err != nil {
			return m, err
		}
		m.parts = append(m.parts, usage{name: p.name, cpu: after[i] - before[i], memory: samples[i], peak: held.Peak})
	}
	if m.received, err = process.Metric(s.metrics, "netmeta_records_total", ""); err != nil {
		return m, err
	}
	m.losses, err = s.losses(ctx)
	return m, err
}

func (s *site) processorTimes() (all []time.Duration, err error) {
	for _, p := range s.parts {
		spent, err := p.ProcessorTime()
		if err != nil {
			return nil, err
		}
		all = append(all, spent)
	}
	return all, nil
}

// watchMemory notes what the programs hold, until the function that it returns is called.
func (s *site) watchMemory() (end func() ([][]int, error)) {
	samples := make([][]int, len(s.parts))
	stop, done := make(chan struct{}), make(chan error, 1)
	note := func() error {
		for i, p := range s.parts {
			m, err := p.Memory()
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], m.Resident)
		}
		return nil
	}
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			if err := note(); err != nil {
				done <- err
				return
			}
			select {
			case <-stop:
				done <- note()
				return
			case <-second.C:
			}
		}
	}()
	return func() ([][]int, error) {
		close(stop)
		err := <-done
		return samples, err
	}
}

// waitStored waits until so many flows are rows, or no more come, and returns how many
// there are and how long the last took.
func (s *site) waitStored(ctx context.Context, flows int) (stored int, took time.Duration, err error) {
	began, last := time.Now(), time.Now()
	for ; ; time.Sleep(100 * time.Millisecond) {
		n, err := s.count(ctx, "SELECT count() FROM flows_raw")
		if err != nil {
			return 0, 0, err
		}
		if n > stored {
			stored, last = n, time.Now()
		}
		if stored >= flows || time.Since(last) > idle {
			return stored, last.Sub(began), nil
		}
	}
}

func (s *site) waitMerged(ctx context.Context) error {
	for end := time.Now().Add(mergeLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n, err := s.count(ctx, "SELECT count() FROM system.merges")
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// count asks ClickHouse for a number.
func (s *site) count(ctx context.Context, query string) (int, error) {
	var n uint64
	if err := s.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return int(n), nil
}
