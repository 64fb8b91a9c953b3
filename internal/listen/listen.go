// Package listen receives UDP datagrams and hands each to a decoder.
//
// Every listener has several sockets at one address, among which the kernel spreads
// exporters by their address and port. One goroutine reads a socket and decodes
// inline: no queue lies between, so under overload datagrams are lost in one place
// only, the socket's buffer, where the kernel counts them and this package reads the
// count (drops.go).
package listen

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

var (
	datagrams = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_datagrams_total",
		Help: "Datagrams received, by listener.",
	}, []string{"listener"})
	receivedBytes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_bytes_total",
		Help: "Bytes of UDP payload received, by listener.",
	}, []string{"listener"})
	handling = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_handling_seconds_total",
		Help: "Time spent on decoding what was received and encoding its flows, by listener. Divided by netmeta_listen_datagrams_total it is the time for a datagram; as its rate nears the number of sockets, they cannot read faster.",
	}, []string{"listener"})
	receiveErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_errors_total",
		Help: "Failed reads from a socket, by listener. Some of them are in the log, with the reason.",
	}, []string{"listener"})
)

// maxDatagram is the longest UDP payload there is, so that none is cut off.
const maxDatagram = 65535

// Handler decodes one datagram. The bytes are valid only during the call. source
// is the exporter's address and port; an IPv4 address is a 4 byte one, and an IPv6
// one has no zone. received is when the datagram was read from the socket.
type Handler func(datagram []byte, source netip.AddrPort, received time.Time)

// Options say how to receive.
type Options struct {
	// Sockets is how many sockets share the address, each with a goroutine and a
	// Handler; 0 means one for each processor that Go uses. What comes from one
	// address and port always arrives at the same socket. Systems other than Linux
	// have one socket.
	Sockets int
	// Buffer is the size in bytes that is asked of the kernel for the receive buffer of
	// each socket. Where it grants less, that is logged with what to do.
	Buffer int
}

// Listener is the sockets of one address and the goroutines that read them.
type Listener struct {
	name      string
	opened    string // the address that Start was given
	namespace string // the network that the sockets are in
	sockets   []*socket
	wait      sync.WaitGroup

	datagrams, bytes, errors, handling prometheus.Counter

	logging rate.Sometimes // of failed reads, which can be as many as datagrams
}

// Start opens address (HOST:PORT; an empty host is every IPv4 and IPv6 address) and
// passes every datagram to a Handler. newHandler is called once for each socket, and
// what it returns is called from one goroutine. name labels the metrics and log
// lines, summed over the sockets.
//
// An address that another socket has is refused, also where that is one of another
// Listener: only the sockets of this one share it.
func Start(name, address string, o Options, newHandler func() Handler) (*Listener, error) {
	count := o.Sockets
	if count == 0 {
		count = runtime.GOMAXPROCS(0)
	}
	conns, err := open(address, count)
	if err != nil {
		return nil, fmt.Errorf("listen for %s on udp %s: %w", name, address, err)
	}
	l, err := begin(name, address, conns, o, newHandler)
	if err != nil {
		return nil, err
	}
	l.namespace = Namespace()
	return l, nil
}

// begin has conns read.
func begin(name, address string, conns []*conn, o Options, newHandler func() Handler) (*Listener, error) {
	l := &Listener{
		name:      name,
		opened:    address,
		datagrams: datagrams.WithLabelValues(name),
		bytes:     receivedBytes.WithLabelValues(name),
		errors:    receiveErrors.WithLabelValues(name),
		handling:  handling.WithLabelValues(name),
		logging:   rate.Sometimes{First: 1, Interval: 10 * time.Second},
	}
	var granted int
	var err error
	for _, c := range conns {
		if granted, err = c.setBuffer(o.Buffer); err != nil {
			closeAll(conns)
			return nil, fmt.Errorf("set the buffer of the %s socket on udp %s to %d bytes: %w", name, address, o.Buffer, err)
		}
		l.sockets = append(l.sockets, newSocket(l, c, granted, newHandler()))
	}
	slog.Info("listen: receiving", "listener", name, "address", l.Addr().String(), "sockets", len(conns), "buffer", granted)
	if granted < o.Buffer {
		slog.Warn("listen: the kernel grants a smaller socket buffer than asked for; bursts may be lost (and counted). Raise it with: sysctl -w net.core.rmem_max="+fmt.Sprint(o.Buffer),
			"listener", name, "asked", o.Buffer, "granted", granted)
	}
	for _, s := range l.sockets {
		kernelDrops.open(s)
		l.wait.Go(s.run)
	}
	return l, nil
}

// Addr is the address that the listener is bound to.
func (l *Listener) Addr() netip.AddrPort { return l.sockets[0].address }

// Opened returns the listener's name, its address as it was given to Start, and the
// network that its sockets are in, as Namespace tells it.
func (l *Listener) Opened() (name, address, namespace string) {
	return l.name, l.opened, l.namespace
}

// Stop has everything handled that arrived before, and returns when that is done.
// Datagrams that arrive during Stop are dropped, and counted as such.
func (l *Listener) Stop() {
	for _, s := range l.sockets {
		s.finish()
	}
	l.wait.Wait()
	for _, s := range l.sockets {
		kernelDrops.close(s)
		s.close()
	}
}
