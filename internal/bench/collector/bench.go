//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
)

// bench is what is to be measured.
type bench struct {
	collectors []collector
	traffics   []traffic
	rounds     int
	duration   time.Duration
	highest    float64 // rate to offer, in records a second
	progress   io.Writer
}

const (
	firstRate = 25_000 // records a second
	// lossless is the share of records that may be missing at a rate that a collector is
	// said to manage. A busy machine holds up even an idle collector now and then.
	lossless = 0.001
	// hopeless is the share of missing records beyond which a step has failed.
	hopeless = 0.2
	// mayFail is how many steps may fail before nothing more is offered: some may be due
	// to what else the machine does.
	mayFail = 3
	// reached is the share of a rate below which the sender has not reached it.
	reached = 0.7
	// onTime is how long a collector that manages a rate may go on after the end.
	onTime = 500 * time.Millisecond
)

// manages says whether a collector kept up.
func (m measurement) manages() bool { return m.loss() <= lossless && m.behind <= onTime }

// step is one offered rate, and what became of it.
type step struct {
	protocol, collector string
	rate                float64 // records a second that were to be sent
	measurement
}

// run first offers more and more to every collector, and then measures in rounds what
// a record costs each at the highest rate that it manages.
func (b *bench) run(ctx context.Context) (report, error) {
	r := report{rounds: b.rounds, duration: b.duration}
	for _, t := range b.traffics {
		steps, err := b.climb(ctx, t)
		if err != nil {
			return r, err
		}
		r.climb = append(r.climb, steps...)
	}
	for round := range b.rounds {
		for _, t := range b.traffics {
			for i := range b.collectors {
				// Each comes first in some round.
				c := b.collectors[(i+round)%len(b.collectors)]
				rate := managed(r.climb, t.protocol, c.name)
				m, err := measure(ctx, c, t, rate, b.duration)
				if err != nil {
					return r, fmt.Errorf("measure %s with %s: %w", c.name, t.protocol, err)
				}
				fmt.Fprintf(b.progress, "round %d of %d: %s\n", round+1, b.rounds, describe(t, c, m))
				r.measured = append(r.measured, step{t.protocol, c.name, rate, m})
			}
		}
	}
	return r, nil
}

// climb offers every collector twice as much each time, until it loses most of it or
// the sender cannot send more.
func (b *bench) climb(ctx context.Context, t traffic) (steps []step, err error) {
	failed := make(map[string]int)
	for rate := float64(firstRate); rate <= b.highest; rate *= 2 {
		for _, c := range b.collectors {
			if failed[c.name] == mayFail {
				continue
			}
			m, err := measure(ctx, c, t, rate, b.duration/2)
			if err != nil {
				return nil, fmt.Errorf("measure %s with %s: %w", c.name, t.protocol, err)
			}
			fmt.Fprintf(b.progress, "offering more and more: %s\n", describe(t, c, m))
			steps = append(steps, step{t.protocol, c.name, rate, m})
			if m.loss() > hopeless || m.behind > 4*onTime || m.offered() < reached*rate {
				failed[c.name]++
			}
		}
	}
	return steps, nil
}

// managed returns the highest rate that a collector has managed, the first if it was
// none.
func managed(steps []step, protocol, collector string) float64 {
	best := float64(firstRate)
	for _, s := range steps {
		if s.protocol == protocol && s.collector == collector && s.manages() {
			best = max(best, min(s.rate, s.offered()))
		}
	}
	return best
}

func describe(t traffic, c collector, m measurement) string {
	return fmt.Sprintf("%s to %s at %s records/s: %s lost, %s records/CPU-s, %.1f s CPU, done %.1f s after the last datagram",
		t.protocol, c.name, humanize.Comma(int64(m.offered())), humanize.Comma(int64(m.lost())), humanize.Comma(int64(m.perCPUSecond())),
		m.spent.Seconds(), m.behind.Seconds())
}
