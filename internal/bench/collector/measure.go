//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/leoluk/NetMeta/internal/bench/process"
)

// measurement is one run of a collector.
type measurement struct {
	sent      int           // records
	processed int           // records, as the collector says
	spent     time.Duration // processor time
	sending   time.Duration
	behind    time.Duration // how long the collector went on when nothing more was sent
}

// lost is how many records did not come out.
func (m measurement) lost() int { return max(0, m.sent-m.processed) }

// loss is lost as a share of what was sent.
func (m measurement) loss() float64 { return float64(m.lost()) / float64(m.sent) }

// offered is in records a second.
func (m measurement) offered() float64 { return float64(m.sent) / m.sending.Seconds() }

// perCPUSecond is how many records a second of processor time is enough for.
func (m measurement) perCPUSecond() float64 { return float64(m.processed) / m.spent.Seconds() }

const (
	warmUpRate = 1000 // datagrams a second
	// settled is for how long a collector has to be idle to be done.
	settled = 200 * time.Millisecond
	// settleLimit ends the wait for one that is not idle with nothing to do.
	settleLimit = 30 * time.Second
	// countLimit is how long a collector may take to count what it has processed.
	countLimit = 3 * time.Second
)

// measure starts a collector, sends it records at a rate a second and stops it.
func measure(ctx context.Context, c collector, t traffic, rate float64, duration time.Duration) (m measurement, err error) {
	at, end, err := newPlace(ctx, c)
	if err != nil {
		return m, err
	}
	defer end()
	command, err := c.command(t.protocol, at)
	if err != nil {
		return m, fmt.Errorf("prepare %s: %w", c.name, err)
	}
	p, err := startCollector(command, at.port)
	if err != nil {
		return m, err
	}
	defer p.Stop()
	if err := p.waitReady(); err != nil {
		return m, err
	}
	s, err := newSender(t, at.port)
	if err != nil {
		return m, err
	}
	defer s.close()

	// The first cycle has templates that have to be known, and makes the collector
	// allocate what it keeps.
	warm, err := s.run(ctx, warmUpRate, 0)
	if err != nil {
		return m, err
	}
	if _, err := p.settle(ctx); err != nil {
		return m, err
	}
	before, err := p.ProcessorTime()
	if err != nil {
		return m, err
	}
	began := time.Now()
	if m.sent, err = s.run(ctx, rate/t.perDatagram(), duration); err != nil {
		return m, err
	}
	m.sending = time.Since(began)
	if m.behind, err = p.settle(ctx); err != nil {
		return m, err
	}
	after, err := p.ProcessorTime()
	if err != nil {
		return m, err
	}
	m.spent = after - before
	m.processed, err = c.processed(t, at, p, warm, m.sent)
	return m, err
}

// running is a collector at work.
type running struct {
	*process.Process
	port int // UDP
}

func startCollector(command []string, port int) (*running, error) {
	p, err := process.Start(command)
	return &running{p, port}, err
}

// waitReady returns when the collector has opened its socket.
func (p *running) waitReady() error {
	return p.Await(fmt.Sprintf("a socket at udp port %d", p.port), func() (bool, error) {
		s, err := process.ReadSockets(p.port)
		return s.Open > 0, err
	})
}

// settle waits until the collector has read its sockets and is idle, and returns how
// long it took to become so.
func (p *running) settle(ctx context.Context) (time.Duration, error) {
	const step = settled / 4
	began, idle, last := time.Now(), time.Now(), time.Duration(0)
	for ctx.Err() == nil && time.Since(began) < settleLimit {
		sockets, err := process.ReadSockets(p.port)
		if err != nil {
			return 0, err
		}
		spent, err := p.ProcessorTime()
		if err != nil {
			return 0, err
		}
		// Timers and the like run beside the work.
		if sockets.Waiting > 0 || spent-last > step/4 {
			idle = time.Now()
		}
		last = spent
		if time.Since(idle) >= settled {
			return idle.Sub(began), nil
		}
		time.Sleep(step)
	}
	return time.Since(began), ctx.Err()
}

// processed asks the collector for its count of records, which has those of the warm-up
// too.
func (c collector) processed(t traffic, at place, p *running, warm, sent int) (int, error) {
	if c.afterStop {
		p.Stop()
	}
	for end := time.Now().Add(countLimit); ; time.Sleep(50 * time.Millisecond) {
		n, err := c.count(t, at)
		if err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", c.name, err, p.Log())
		}
		if n > warm+sent {
			return 0, fmt.Errorf("%s says to have processed %d records, %d were sent: the count is wrong", c.name, n, warm+sent)
		}
		if n+c.slack >= warm+sent {
			return sent, nil
		}
		if c.afterStop || time.Now().After(end) {
			return max(n-warm, 0), nil
		}
	}
}
