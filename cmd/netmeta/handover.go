package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/handover"
	"github.com/leoluk/NetMeta/internal/listen"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// takeTurns takes over from the collector that uses the state directory, if there is
// one, and collects until ctx ends, or until another one takes over. Then it stands by:
// if that one ends first, it goes on.
func (c *collecting) takeTurns(ctx context.Context, config collect.Config) error {
	before, err := c.takeOver(ctx, &config)
	if err != nil {
		return err
	}
	for {
		next, err := c.turn(ctx, config, before)
		if next == nil {
			return err
		}
		if before != nil {
			before.Dismiss()
		}
		again, err := c.standBy(ctx, next)
		if !again {
			return err
		}
		config.Passed, before = next.sockets, nil
	}
}

// takeOver returns the collector that was here before, or nil, and has config use its
// sockets.
func (c *collecting) takeOver(ctx context.Context, config *collect.Config) (*handover.Peer, error) {
	// It has to write what it has received first.
	ctx, cancel := context.WithTimeout(ctx, c.flushTimeout+10*time.Second)
	defer cancel()
	began := time.Now()
	before, sockets, err := handover.Take(ctx, c.stateDir, handover.Want{Namespace: listen.Namespace(), Addresses: config.Addresses()})
	if err != nil {
		return nil, fmt.Errorf("--handover: %w", err)
	}
	if before != nil {
		slog.Info("collect: taking over", "sockets", len(sockets), "after", time.Since(began))
	}
	config.Passed = sockets
	return before, nil
}

// successor is the collector that has taken over.
type successor struct {
	*handover.Peer
	sockets []listen.Passed // that it has got, and that are still open here
	server  bool            // metrics can be served here all the same
}

// turn collects until ctx ends, or until another collector has taken over. before is the
// one whose sockets config has, or nil.
func (c *collecting) turn(ctx context.Context, config collect.Config, before *handover.Peer) (*successor, error) {
	var gone <-chan struct{}
	if before != nil {
		gone = before.Gone()
	}
	r, err := c.start(config)
	if err != nil {
		return nil, err
	}
	waiting, err := handover.Listen(c.stateDir)
	if err != nil {
		return nil, fmt.Errorf("--handover: %w (%w)", err, r.stop())
	}
	defer waiting.Close()
	for {
		select {
		case <-gone:
			slog.Info("collect: the collector before this one has ended")
			r.Forsake()
			gone = nil
		case next := <-waiting.Asked():
			if next == nil {
				return nil, fmt.Errorf("--handover: cannot wait for a successor any more (%w)", r.stop())
			}
			return r.handOver(next)
		case <-ctx.Done():
			if gone != nil {
				return nil, r.leave()
			}
			return nil, r.stop()
		}
	}
}

// handOver has another collector go on. What was received is written, or safe in the
// spool, before.
func (r *running) handOver(next *handover.Peer) (*successor, error) {
	slog.Info("collect: handing over to another collector")
	s := &successor{Peer: next, server: next.Want.Namespace != listen.Namespace()}
	s.sockets = r.Pause(next.Want.Keeps)
	r.server.Close()
	if err := r.flush(r.to); err != nil {
		slog.Error("collect: flows were lost while handing over", "error", err)
	}
	if err := next.Pass(s.sockets); err != nil {
		// It is Gone then, and this one goes on.
		slog.Warn("collect: the other collector has not taken over", "error", err)
	}
	return s, nil
}

// leave ends collecting for the one before, which stands by: what has arrived is left
// to it.
func (r *running) leave() error {
	defer r.server.Close()
	slog.Info("collect: stopping, and leaving the sockets to the collector before this one")
	everything := func(string, string, string) bool { return true }
	for _, s := range r.Pause(everything) {
		s.Close()
	}
	return r.flush(r.to)
}

// lingering is how long a collector that is told to end keeps its network, from which
// another one reads: enough for Kubernetes to see that it is not ready any more, and to
// forward nothing to it.
const lingering = 10 * time.Second

func linger(gone <-chan struct{}) {
	slog.Info("collect: ending when nothing arrives here any more", "after", lingering)
	select {
	case <-time.After(lingering):
	case <-gone:
	}
}

// standBy waits for the end of this collector or of its successor. It tells whether this
// one is to go on.
func (c *collecting) standBy(ctx context.Context, next *successor) (again bool, err error) {
	defer next.Close()
	address := ""
	if next.server {
		address = c.metrics
	}
	var leaving atomic.Bool
	server, err := metrics.Serve(address, metrics.Check{Name: "place", Probe: func() error {
		if leaving.Load() {
			return errors.New("about to end: another collector has taken over")
		}
		return nil
	}})
	if err != nil {
		return false, fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()
	slog.Info("collect: another collector has taken over; standing by in case it ends")
	select {
	case <-ctx.Done():
		leaving.Store(true)
		if next.server {
			linger(next.Gone())
		}
		return false, nil
	case <-next.Gone():
	}
	if next.Dismissed() {
		slog.Info("collect: yet another collector has taken over from that one; waiting for the end")
		for _, s := range next.sockets {
			s.Close()
		}
		<-ctx.Done()
		return false, nil
	}
	slog.Warn("collect: the other collector has ended; going on in its place")
	for i := range next.sockets {
		if err := next.sockets[i].Recount(); err != nil {
			slog.Warn("collect: drops at a socket may be counted twice", "listener", next.sockets[i].Name, "error", err)
		}
	}
	return true, nil
}
