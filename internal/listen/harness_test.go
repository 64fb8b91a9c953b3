package listen

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var started atomic.Int32

// start runs a listener with one socket and a name of its own, so that its counters
// begin at 0.
func start(t testing.TB, address string, buffer int, handle Handler) *Listener {
	t.Helper()
	return startAs(t, fmt.Sprint("listener ", started.Add(1)), address, buffer, handle)
}

// startShared runs a listener with several sockets, all with the same handler, and a
// name of its own.
func startShared(t testing.TB, sockets int, address string, buffer int, handle Handler) *Listener {
	t.Helper()
	l, err := Start(fmt.Sprint("listener ", started.Add(1)), address, Options{Sockets: sockets, Buffer: buffer}, func() Handler { return handle })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func startAs(t testing.TB, name, address string, buffer int, handle Handler) *Listener {
	t.Helper()
	l, err := Start(name, address, Options{Sockets: 1, Buffer: buffer}, func() Handler { return handle })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dial opens a socket towards the listener.
func dial(t testing.TB, network, host string, l *Listener) *net.UDPConn {
	t.Helper()
	to := netip.AddrPortFrom(netip.MustParseAddr(host), l.Addr().Port())
	conn, err := net.DialUDP(network, nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func send(t testing.TB, conn net.Conn, datagram []byte) {
	t.Helper()
	if _, err := conn.Write(datagram); err != nil {
		t.Fatal(err)
	}
}

// metric reads what a scrape would show for the listener.
func metric(t testing.TB, l *Listener, name string) int {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == l.name {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	t.Fatalf("no metric %s for %s", name, l.name)
	return 0
}

// poll returns when the condition holds.
func poll(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 20 s for %s", what)
		}
	}
}
