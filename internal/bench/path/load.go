//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leoluk/NetMeta/internal/generate"
)

// load is what exporters send.
type load struct {
	rate      float64 // flows a second, of all exporters together
	exporters int
	duration  time.Duration
}

// shares deals exporters to the protocols in turn.
func (l load) shares() map[generate.Protocol]int {
	shares, protocols := map[generate.Protocol]int{}, generate.Protocols()
	for i := range l.exporters {
		shares[protocols[i%len(protocols)]]++
	}
	return shares
}

// send sends to the listeners and returns how many flows that were, and in what time.
func (l load) send(ctx context.Context, listeners map[generate.Protocol]string) (flows int, took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var sending sync.WaitGroup
	began := time.Now()
	for protocol, exporters := range l.shares() {
		sending.Go(func() {
			report, err := generate.Run(ctx, generate.Options{
				Protocol: protocol, To: listeners[protocol], Duration: l.duration, Exporters: exporters,
				Rate: l.rate * float64(exporters) / float64(l.exporters),
				Seed: 1, SamplingRates: []uint32{512, 1000, 2000}, IPv6Share: 0.3,
			})
			if err == nil && report.Refused > 0 {
				err = fmt.Errorf("nothing listens at %s", listeners[protocol])
			}
			if err != nil {
				cancel(fmt.Errorf("send %s: %w", protocol, err))
			}
			mu.Lock()
			defer mu.Unlock()
			for _, e := range report.Exporters {
				flows += int(e.Records)
			}
		})
	}
	sending.Wait()
	return flows, time.Since(began), context.Cause(ctx)
}
