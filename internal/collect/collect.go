// Package collect is the collector: it puts sockets, decoders and where flows go to
// together.
//
// Every socket of a listener has a decoder and a writer of its own and is read by one
// goroutine, so that nothing is shared on the way but the exporters' state.
package collect

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/listen"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/netflow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

const (
	// DefaultSocketBuffer holds about a second of a router's worst burst.
	DefaultSocketBuffer = 32 << 20
	// DefaultTemplateWait is more than most exporters leave between two announcements of
	// their templates.
	DefaultTemplateWait = 5 * time.Minute
)

// Config says where to listen, and to whom. An empty address leaves that listener out.
type Config struct {
	SFlow         string // HOST:PORT for sFlow v5
	NetFlow       string // HOST:PORT for NetFlow v9 and IPFIX; v5 is recognised too
	NetFlowLegacy string // HOST:PORT for NetFlow v5; v9 and IPFIX are recognised too

	Sockets      int // sockets that share the address of each listener; 0: one for each processor
	SocketBuffer int // bytes of receive buffer asked of the kernel, for each socket

	Allow []netip.Prefix // source addresses of the exporters that are listened to; none: everybody

	DefaultRate   uint64             // sampling rate of exporters that do not say theirs; 0: unknown
	Overrides     exporter.Overrides // what is configured for single exporters
	OverridesFile string             // they were read from; it is read again when it changes
	TemplateWait  time.Duration      // flows wait so long for their template; 0: the default

	// Instance is this collector's name among others in PipelineCounters; the host's if empty.
	Instance string

	// StateFile keeps what exporters have said (templates, sampling rates, sequence
	// numbers) over restarts. Empty: it is forgotten.
	StateFile string

	// Passed are sockets of a collector before this one. Those of this network take the
	// place of what would be opened at the same address; those of another network are read
	// besides, until Forsake. All belong to the Collector, also if it does not start.
	Passed []listen.Passed
}

// Addresses are those that are listened on, as they are written, by the listeners' names.
func (c Config) Addresses() map[string]string {
	addresses := map[string]string{}
	for name, address := range map[string]string{"sflow": c.SFlow, "netflow": c.NetFlow, "netflow-legacy": c.NetFlowLegacy} {
		if address != "" {
			addresses[name] = address
		}
	}
	return addresses
}

// Outputs open writers for what is decoded. Each is called once for every socket that
// needs one.
type Outputs struct {
	Flows    func() Writer // of FlowMessages
	Counters func() Writer // of InterfaceCounters; nil: they are left out
	Pipeline func() Writer // of PipelineCounters, by a goroutine of its own; nil: they are left out
}

// Listener is one open socket of the collector.
type Listener struct {
	Name string // sflow, netflow or netflow-legacy, as in the metrics
	Addr netip.AddrPort
}

// Writer takes what one goroutine has decoded. Append keeps nothing of the message and
// does not block; between Hold and Release it costs less. queue.Writer and output.Writer
// are such.
type Writer interface {
	Append(flow.Message)
	Hold()
	Release()
}

// Collector receives datagrams until Stop.
type Collector struct {
	config    Config
	outputs   Outputs
	allowed   allowList
	table     *exporter.Table
	overrides overriding
	listeners []*listen.Listener
	foreign   []*listen.Listener // of another network
	bound     []Listener
	checks    []metrics.Check

	counts prometheus.Collector // of single exporters
	forget func()               // ends saving
	saving sync.WaitGroup

	unwatch  func() // ends watching
	watching sync.WaitGroup

	unpublish  func() // ends publishing
	publishing sync.WaitGroup
}

// decoder is what a protocol package offers: it emits every record that it can
// read of a datagram and returns the first problem, which it has counted.
type decoder interface {
	Decode(datagram []byte, source netip.AddrPort, received time.Time) error
}

// Start opens the listeners and begins to receive. Where one cannot be opened, those
// before it are closed again.
func Start(config Config, outputs Outputs) (*Collector, error) {
	c := &Collector{
		config: config, outputs: outputs, allowed: newAllowList(config.Allow),
		table: exporter.NewTable(exporter.Config{
			DefaultRate: config.DefaultRate, Overrides: config.Overrides, TemplateWait: config.TemplateWait,
		}),
	}
	c.overrides.file = config.Overrides
	c.counts = exporter.NewCollector(c.table)
	if err := prometheus.Register(c.counts); err != nil {
		return nil, fmt.Errorf("register the metrics of exporters: %w", err)
	}
	passed := sortPassed(config)
	c.remember()
	c.watch()
	c.publish()
	for _, l := range []struct {
		name, address string
		newDecoder    newDecoder
	}{
		{"sflow", config.SFlow, c.newSFlow},
		{"netflow", config.NetFlow, c.newNetFlow},
		{"netflow-legacy", config.NetFlowLegacy, c.newNetFlow},
	} {
		if err := c.listen(l.name, l.address, l.newDecoder, passed); err != nil {
			passed.close()
			c.Stop()
			return nil, err
		}
	}
	passed.close()
	if len(c.listeners) == 0 {
		c.Stop()
		return nil, fmt.Errorf("no address to listen on was given: every listener is switched off")
	}
	return c, nil
}

// remember loads the state of exporters, and saves it from now on until Stop.
func (c *Collector) remember() {
	ctx, forget := context.WithCancel(context.Background())
	c.forget = forget
	if c.config.StateFile == "" {
		return
	}
	if err := c.table.LoadFile(c.config.StateFile, time.Now()); err != nil {
		slog.Warn("collect: exporters have to send their templates and sampling rates again", "error", err)
	}
	c.saving.Go(func() {
		if err := exporter.Persist(ctx, c.table, c.config.StateFile); err != nil {
			slog.Error("collect: the state of exporters was not saved", "error", err)
		}
	})
}

// publish writes the program's own counters from now on until Stop.
func (c *Collector) publish() {
	ctx, stop := context.WithCancel(context.Background())
	c.unpublish = stop
	if c.outputs.Pipeline == nil {
		return
	}
	writer := c.outputs.Pipeline()
	c.publishing.Go(func() { Publish(ctx, c.config.Instance, writer) })
}

// newDecoder returns a decoder that hands its flows to a function.
type newDecoder func(emit func(*flow.Record)) decoder

func (c *Collector) newNetFlow(emit func(*flow.Record)) decoder {
	return netflow.NewDecoder(c.table, emit, c.emitCounters())
}

func (c *Collector) newSFlow(emit func(*flow.Record)) decoder {
	return sflow.NewDecoder(c.table, emit, c.emitCounters())
}

// emitCounters returns what a decoder hands interface counters, and names of interfaces, to.
func (c *Collector) emitCounters() func(*flow.Counters) {
	if c.outputs.Counters == nil {
		return func(*flow.Counters) {}
	}
	writer := c.outputs.Counters()
	return func(counters *flow.Counters) { writer.Append(counters) }
}

// listen opens a listener, or reads on the sockets of one that was passed.
func (c *Collector) listen(name, address string, newDecoder newDecoder, passed passed) error {
	var sockets []*metrics.Busy
	newHandler := func() listen.Handler {
		busy := new(metrics.Busy)
		sockets = append(sockets, busy)
		return c.handler(name, newDecoder, busy)
	}
	options := listen.Options{Sockets: c.config.Sockets, Buffer: c.config.SocketBuffer}
	for _, group := range passed.takeForeign(name) {
		listener, err := listen.Resume(group, options, newHandler)
		if err != nil {
			return err
		}
		c.foreign = append(c.foreign, listener)
	}
	if address != "" {
		listener, err := startOrResume(name, address, passed.takeOwn(name), options, newHandler)
		if err != nil {
			return err
		}
		c.listeners = append(c.listeners, listener)
		c.bound = append(c.bound, Listener{name, listener.Addr()})
	}
	if len(sockets) > 0 {
		c.checks = append(c.checks, metrics.Check{Name: name, Live: true, Probe: func() error { return probe(sockets) }})
	}
	return nil
}

func startOrResume(name, address string, passed []listen.Passed, o listen.Options, newHandler func() listen.Handler) (*listen.Listener, error) {
	if len(passed) > 0 {
		return listen.Resume(passed, o, newHandler)
	}
	return listen.Start(name, address, o, newHandler)
}

// stuck is how long the decoding of a datagram may take; it takes microseconds.
const stuck = 10 * time.Second

func probe(sockets []*metrics.Busy) error {
	for _, busy := range sockets {
		if err := busy.Probe(time.Now(), stuck); err != nil {
			return err
		}
	}
	return nil
}

// Listeners returns what is listened on, in the order sFlow, NetFlow, NetFlow v5.
func (c *Collector) Listeners() []Listener { return c.bound }

// Stop ends receiving. When it returns, every record of every datagram that was
// received is with a writer, and the state of exporters is saved.
func (c *Collector) Stop() {
	c.end((*listen.Listener).Stop)
}

// end ends receiving in one way or the other, and then all the rest.
func (c *Collector) end(stop func(*listen.Listener)) {
	var stopping sync.WaitGroup
	for _, l := range slices.Concat(c.foreign, c.listeners) {
		stopping.Go(func() { stop(l) })
	}
	stopping.Wait()
	c.table.DropHeld()
	c.unwatch()
	c.watching.Wait()
	c.unpublish()
	c.publishing.Wait()
	c.forget()
	c.saving.Wait()
	prometheus.Unregister(c.counts)
}

// Checks say whether every socket is being read: a decoder that does not come to the
// end of a datagram would otherwise only show in the kernel's count of drops.
func (c *Collector) Checks() []metrics.Check { return c.checks }

// handler decodes what an allowed exporter sent. Of what cannot be decoded a few lines
// are logged, since anybody may send anything here; all of it is counted.
func (c *Collector) handler(name string, newDecoder newDecoder, busy *metrics.Busy) listen.Handler {
	flows := c.outputs.Flows()
	d := newDecoder(func(r *flow.Record) { flows.Append(r) })
	sometimes := rate.Sometimes{First: 5, Interval: 10 * time.Second}
	refused := refused.WithLabelValues(name)
	return func(datagram []byte, source netip.AddrPort, received time.Time) {
		if !c.allowed.allows(source.Addr()) {
			refused.Inc()
			return
		}
		busy.Begin(received)
		flows.Hold()
		err := d.Decode(datagram, source, received)
		flows.Release()
		busy.End()
		if err != nil {
			sometimes.Do(func() {
				slog.Warn("collect: cannot decode (all are counted, only some are logged)", "listener", name, "exporter", source.String(), "error", err)
			})
		}
	}
}
