// Package listen receives UDP datagrams and hands each to a decoder.
//
// One goroutine reads a socket and decodes inline: no queue lies between, so
// under overload datagrams are lost in one place only, the socket's buffer, where
// the kernel counts them and this package reads the count.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
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
	kernelDrops = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_listen_kernel_drops_total",
		Help: "Datagrams that the kernel dropped because the socket's buffer was full, by listener.",
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
	drops  dropCounter
	wait   sync.WaitGroup
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
	l := &Listener{name: name, conn: packet.(*net.UDPConn), handle: handle}
	granted, err := prepareSocket(l.conn, buffer)
	if err != nil {
		packet.Close()
		return nil, fmt.Errorf("prepare the %s socket on udp %s: %w", name, address, err)
	}
	slog.Info("listen: receiving", "protocol", name, "address", l.Addr().String(), "buffer", granted)
	if granted < buffer {
		slog.Warn("listen: the kernel grants a smaller socket buffer than asked for; bursts may be lost (and counted). Raise it with: sysctl -w net.core.rmem_max="+fmt.Sprint(buffer),
			"protocol", name, "asked", buffer, "granted", granted)
	}
	l.drops.counter = kernelDrops.WithLabelValues(name)
	l.wait.Add(1)
	go l.run()
	return l, nil
}

// Addr is the address that the listener is bound to.
func (l *Listener) Addr() netip.AddrPort {
	return l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Stop takes what the socket's buffer still holds, as far as that is there at
// once, and returns when the last datagram has been handled.
func (l *Listener) Stop() {
	// A deadline in the past would end the loop at once; a short one lets it read
	// what has already arrived.
	l.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	l.wait.Wait()
	l.conn.Close()
}

func (l *Listener) run() {
	defer l.wait.Done()
	count, size, failed := datagrams.WithLabelValues(l.name), receivedBytes.WithLabelValues(l.name), receiveErrors.WithLabelValues(l.name)
	buffer, control := make([]byte, maxDatagram), make([]byte, controlSize)
	for {
		n, c, _, source, err := l.conn.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || isTimeout(err) {
				return
			}
			// For example an ICMP error that belongs to nobody: the socket goes on.
			failed.Inc()
			slog.Warn("listen: read failed", "protocol", l.name, "error", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		count.Inc()
		size.Add(float64(n))
		l.drops.read(control[:c])
		l.handle(buffer[:n], netip.AddrPortFrom(source.Addr().Unmap(), source.Port()), time.Now())
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
