// Package listen receives UDP datagrams and hands each to a decoder.
//
// One goroutine reads a socket and decodes inline: no queue lies between, so
// under overload datagrams are lost in one place only, the socket's buffer, where
// the kernel counts them and this package reads the count (drops.go).
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
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
	receiveErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_errors_total",
		Help: "Failed reads from a socket, by listener.",
	}, []string{"listener"})
)

// maxDatagram is the longest UDP payload there is, so that none is cut off.
const maxDatagram = 65535

// Handler decodes one datagram. The bytes are valid only during the call. source
// is the exporter's address and port; an IPv4 address is a 4 byte one.
type Handler func(datagram []byte, source netip.AddrPort, received time.Time)

// Listener is one UDP socket and the goroutine that reads it.
type Listener struct {
	name   string
	conn   *net.UDPConn
	handle Handler
	wait   sync.WaitGroup

	datagrams, bytes, errors prometheus.Counter

	logging rate.Sometimes // of failed reads, which can be as many as datagrams
}

// Start opens address (HOST:PORT; an empty host is every IPv4 and IPv6 address)
// and passes every datagram to handle, from one goroutine. buffer is the size in
// bytes that is asked of the kernel for the socket's buffer; where it grants less,
// that is logged with what to do. name labels the metrics and log lines.
func Start(name, address string, buffer int, handle Handler) (*Listener, error) {
	packet, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s on udp %s: %w", name, address, err)
	}
	l := &Listener{
		name: name, conn: packet.(*net.UDPConn), handle: handle,
		datagrams: datagrams.WithLabelValues(name),
		bytes:     receivedBytes.WithLabelValues(name),
		errors:    receiveErrors.WithLabelValues(name),
		logging:   rate.Sometimes{First: 1, Interval: 10 * time.Second},
	}
	granted, err := setBuffer(l.conn, buffer)
	if err != nil {
		packet.Close()
		return nil, fmt.Errorf("set the buffer of the %s socket on udp %s to %d bytes: %w", name, address, buffer, err)
	}
	slog.Info("listen: receiving", "listener", name, "address", l.Addr().String(), "buffer", granted)
	if granted < buffer {
		slog.Warn("listen: the kernel grants a smaller socket buffer than asked for; bursts may be lost (and counted). Raise it with: sysctl -w net.core.rmem_max="+fmt.Sprint(buffer),
			"listener", name, "asked", buffer, "granted", granted)
	}
	kernelDrops.open(l)
	l.wait.Go(l.run)
	return l, nil
}

// Addr is the address that the listener is bound to.
func (l *Listener) Addr() netip.AddrPort {
	return l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Stop has everything handled that arrived before, and returns when that is done.
// Datagrams that arrive during Stop are dropped, and counted as such.
func (l *Listener) Stop() {
	if err := refuse(l.conn); err != nil {
		slog.Warn("listen: cannot have the kernel refuse datagrams while stopping", "listener", l.name, "error", err)
	}
	l.conn.SetReadDeadline(time.Now())
	l.wait.Wait()
	kernelDrops.close(l)
	l.conn.Close()
}

const (
	// drainPause without a datagram means that the buffer is empty.
	drainPause = 50 * time.Millisecond
	// drainLimit is far more than a full buffer takes. It ends Stop where datagrams
	// cannot be refused and arrive without a pause.
	drainLimit = 5 * time.Second
)

// run receives until Stop sets a deadline, and then what is left.
func (l *Listener) run() {
	buffer := make([]byte, maxDatagram)
	for l.receive(buffer) {
	}
	for end := time.Now().Add(drainLimit); time.Now().Before(end); {
		l.conn.SetReadDeadline(time.Now().Add(drainPause))
		if !l.receive(buffer) {
			return
		}
	}
}

// receive handles one datagram. It returns false when the read deadline has passed.
func (l *Listener) receive(buffer []byte) bool {
	n, source, err := l.conn.ReadFromUDPAddrPort(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if err != nil {
		// For example an ICMP error that belongs to nobody: the socket goes on.
		l.errors.Inc()
		l.logging.Do(func() {
			slog.Warn("listen: read failed (all failures are counted, only some are logged)", "listener", l.name, "error", err)
		})
		time.Sleep(10 * time.Millisecond)
		return true
	}
	l.datagrams.Inc()
	l.bytes.Add(float64(n))
	l.handle(buffer[:n], netip.AddrPortFrom(source.Addr().Unmap(), source.Port()), time.Now())
	return true
}
