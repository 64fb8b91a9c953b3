package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/query"
)

// queryProgress shows on a terminal how far a query has come. The zero value with a w
// shows nothing until start.
type queryProgress struct {
	w       io.Writer
	cancel  context.CancelFunc // nil: not started
	done    chan struct{}
	mu      sync.Mutex
	latest  query.Progress
	stopped sync.Once
}

// start begins to ask for the progress of the query of an id.
func (p *queryProgress) start(ctx context.Context, client *query.Client, id string) {
	ctx, p.cancel = context.WithCancel(ctx)
	p.done = make(chan struct{})
	started := time.Now()
	go func() {
		defer close(p.done)
		const interval = 200 * time.Millisecond // short queries end before the first
		ticks := time.NewTicker(interval)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			at, running, err := client.Progress(ctx, id)
			if err != nil {
				return // not allowed to see it, or ClickHouse is gone: the query will say so
			}
			if !running {
				continue
			}
			p.mu.Lock()
			p.latest = at
			p.mu.Unlock()
			fmt.Fprint(p.w, "\r", progressLine(at, time.Since(started)), eraseToEnd)
		}
	}()
}

// eraseToEnd erases what stands behind the cursor.
const eraseToEnd = "\x1b[K"

// stop ends the progress and erases it. Only the first call does anything.
func (p *queryProgress) stop() {
	p.stopped.Do(func() {
		if p.cancel == nil {
			return
		}
		p.cancel()
		<-p.done
		fmt.Fprint(p.w, "\r", eraseToEnd)
	})
}

// last returns the latest progress that is known.
func (p *queryProgress) last() query.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// progressLine writes progress in less than 80 cells.
func progressLine(at query.Progress, elapsed time.Duration) string {
	rate := float64(at.Rows) / max(elapsed.Seconds(), 0.001)
	behind := fmt.Sprintf("rows, %s/s, %.1f s", strings.TrimSpace(humanize.SIWithDigits(rate, 1, "")), elapsed.Seconds())
	if at.Total == 0 {
		return humanize.Comma(int64(at.Rows)) + " " + behind
	}
	const cells = 16
	// More rows than were expected are read where a table is read twice.
	filled := int(min(at.Rows, at.Total) * cells / at.Total)
	return fmt.Sprintf("%s%s %s of %s %s", strings.Repeat("█", filled), strings.Repeat("░", cells-filled),
		humanize.Comma(int64(at.Rows)), humanize.Comma(int64(max(at.Rows, at.Total))), behind)
}
