// Package collect is the collector: it puts sockets, decoders and where flows go to
// together.
//
// Every socket of a listener has a decoder and a writer of its own and is read by one
// goroutine, so that nothing is shared on the way but the exporters' state.
package collect

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/listen"
	"github.com/leoluk/NetMeta/internal/netflow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// DefaultSocketBuffer holds about a second of a router's worst burst.
const DefaultSocketBuffer = 32 << 20

// Config says where to listen. An empty address leaves that listener out.
type Config struct {
	SFlow         string // HOST:PORT for sFlow v5
	NetFlow       string // HOST:PORT for NetFlow v9 and IPFIX; v5 is recognised too
	NetFlowLegacy string // HOST:PORT for NetFlow v5; v9 and IPFIX are recognised too

	SocketBuffer int    // bytes of receive buffer asked of the kernel, for each socket
	DefaultRate  uint64 // sampling rate of exporters that do not say theirs; 0: unknown
}

// Listener is one open socket of the collector.
type Listener struct {
	Name string // sflow, netflow or netflow-legacy, as in the metrics
	Addr netip.AddrPort
}

// Collector receives datagrams until Stop.
type Collector struct {
	listeners []*listen.Listener
	bound     []Listener
}

// decoder is what a protocol package offers: it emits every record that it can
// read of a datagram and returns the first problem, which it has counted.
type decoder interface {
	Decode(datagram []byte, source netip.AddrPort, received time.Time) error
}

// Writer takes what one goroutine has decoded. Append keeps nothing of the message and
// does not block. queue.Writer and output.Writer are such.
type Writer interface {
	Append(flow.Message)
}

// Start opens the listeners and begins to receive. newWriter is called once for each
// socket. Where a listener cannot be opened, those before it are closed again.
func Start(config Config, newWriter func() Writer) (*Collector, error) {
	table := exporter.NewTable(exporter.Config{DefaultRate: config.DefaultRate})
	newNetFlow := func(emit func(*flow.Record)) decoder { return netflow.NewDecoder(table, emit) }
	newSFlow := func(emit func(*flow.Record)) decoder { return sflow.NewDecoder(config.DefaultRate, emit) }

	c := &Collector{}
	for _, l := range []struct {
		name, address string
		newDecoder    func(emit func(*flow.Record)) decoder
	}{
		{"sflow", config.SFlow, newSFlow},
		{"netflow", config.NetFlow, newNetFlow},
		{"netflow-legacy", config.NetFlowLegacy, newNetFlow},
	} {
		if l.address == "" {
			continue
		}
		newHandler := func() listen.Handler {
			writer := newWriter()
			return handler(l.name, l.newDecoder(func(r *flow.Record) { writer.Append(r) }))
		}
		listener, err := listen.Start(l.name, l.address, listen.Options{Buffer: config.SocketBuffer}, newHandler)
		if err != nil {
			c.Stop()
			return nil, err
		}
		c.listeners = append(c.listeners, listener)
		c.bound = append(c.bound, Listener{l.name, listener.Addr()})
	}
	if len(c.listeners) == 0 {
		return nil, fmt.Errorf("no address to listen on was given: every listener is switched off")
	}
	return c, nil
}

// Listeners returns what is listened on, in the order sFlow, NetFlow, NetFlow v5.
func (c *Collector) Listeners() []Listener { return c.bound }

// Stop ends receiving. When it returns, every record of every datagram that was
// received is with a writer.
func (c *Collector) Stop() {
	var stopping sync.WaitGroup
	for _, l := range c.listeners {
		stopping.Go(l.Stop)
	}
	stopping.Wait()
}

// handler decodes with d. Of what cannot be decoded a few lines are logged, since
// anybody may send anything here; all of it is counted.
func handler(name string, d decoder) listen.Handler {
	sometimes := rate.Sometimes{First: 5, Interval: 10 * time.Second}
	return func(datagram []byte, source netip.AddrPort, received time.Time) {
		if err := d.Decode(datagram, source, received); err != nil {
			sometimes.Do(func() {
				slog.Warn("collect: cannot decode (all are counted, only some are logged)", "listener", name, "exporter", source.String(), "error", err)
			})
		}
	}
}
