// Package agent makes flows of what the Linux host that it runs on sees: packets that its
// packet filter samples (package nflog), connections that it tracks (package conntrack),
// and packets at its interfaces (package mirror).
//
// Every source is read by one goroutine, or one for each socket, which has a decoder and a
// writer of its own. One that fails later is opened again and again.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// Config says what to make flows of.
type Config struct {
	Exporter netip.Addr // names this host in flows
	Instance string     // names it in PipelineCounters; the host's name if empty
	Buffer   int        // bytes that may wait in the kernel, for each socket

	NFLOG     []uint16 // groups
	NFLOGRate uint32   // packets per sample in them; 0: as the rules say

	Conntrack         bool
	ConntrackStarts   bool          // report connections when they begin, too
	ConntrackActive   time.Duration // report what lasts longer each time; 0: only at its end
	ConntrackReliable bool          // the kernel keeps what has ended until the agent knows
	ConntrackEnable   bool          // have the kernel count packets and bytes
	ConntrackState    string        // file that outlives the process; "": none

	Mirror            []string // interfaces
	MirrorRate        uint32   // one packet in so many
	MirrorSockets     int      // for each interface
	MirrorPromiscuous bool
}

// Agent makes flows until Stop.
type Agent struct {
	config  Config
	outputs collect.Outputs
	base    flow.Record

	stop    context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup
	checks  []metrics.Check

	publishing sync.WaitGroup
	unpublish  context.CancelFunc
}

// source is what packets or events are read from.
type source struct {
	run   func(ctx context.Context) error // until ctx ends, then nil
	close func()
}

// Start opens every source. Where one cannot be opened, those before it are closed again.
func Start(config Config, outputs collect.Outputs) (*Agent, error) {
	a := &Agent{config: config, outputs: outputs, base: flow.Record{SamplerAddress: config.Exporter}}
	a.ctx, a.stop = context.WithCancel(context.Background())
	var publishing context.Context
	publishing, a.unpublish = context.WithCancel(context.Background())
	if outputs.Pipeline != nil {
		writer := outputs.Pipeline()
		a.publishing.Go(func() { collect.Publish(publishing, config.Instance, writer) })
	}
	for _, open := range []func() error{a.startNFLOG, a.startConntrack, a.startMirror} {
		if err := open(); err != nil {
			a.Stop()
			return nil, err
		}
	}
	if len(a.checks) == 0 {
		a.Stop()
		return nil, errors.New("nothing to make flows of: give --nflog, --conntrack or --mirror")
	}
	if outputs.Counters != nil {
		writer := outputs.Counters()
		a.running.Go(func() { a.countInterfaces(writer) })
	}
	return a, nil
}

// Stop ends reading. When it returns, every record is with a writer.
func (a *Agent) Stop() {
	a.stop()
	a.running.Wait()
	a.unpublish()
	a.publishing.Wait()
}

// Checks say whether every source can be read.
func (a *Agent) Checks() []metrics.Check { return a.checks }

// retry is how long to wait before a source that failed is opened again.
const retry = time.Second

// start opens a source and reads it until Stop.
func (a *Agent) start(name string, open func() (source, error)) error {
	first, err := open()
	if err != nil {
		return err
	}
	state := &health{}
	a.checks = append(a.checks, metrics.Check{Name: name, Probe: state.get})
	a.running.Go(func() {
		for s, ok := first, true; ok; s, ok = a.reopen(name, open, state) {
			err := s.run(a.ctx)
			s.close()
			if a.ctx.Err() != nil {
				if err != nil {
					slog.Error("agent: not everything could be finished", "source", name, "error", err)
				}
				return
			}
			slog.Error("agent: a source failed, opening it again", "source", name, "error", err)
			state.set(err)
		}
	})
	return nil
}

// reopen tries until it succeeds or Stop: then it returns false.
func (a *Agent) reopen(name string, open func() (source, error), state *health) (s source, ok bool) {
	for {
		select {
		case <-a.ctx.Done():
			return source{}, false
		case <-time.After(retry):
		}
		s, err := open()
		state.set(err)
		if err == nil {
			slog.Info("agent: a source is read again", "source", name)
			return s, true
		}
	}
}

// health is why a source cannot be read at present, or nil.
type health struct {
	mu  sync.Mutex
	err error
}

func (h *health) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

func (h *health) get() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

func sourceName(kind string, which any) string { return fmt.Sprintf("%s-%v", kind, which) }
