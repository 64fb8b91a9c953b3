package listen

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// exporters opens sockets towards the listener, each with a port of its own.
func exporters(t *testing.T, n int, l *Listener) []*net.UDPConn {
	t.Helper()
	conns := make([]*net.UDPConn, n)
	for i := range conns {
		conns[i] = dial(t, "udp4", "127.0.0.1", l)
	}
	return conns
}

func TestExportersAreSpreadOverTheSocketsAndEachStaysAtOne(t *testing.T) {
	const sockets, sources, each = 4, 64, 10
	var mu sync.Mutex
	handlers := 0
	at := map[netip.AddrPort]map[int]int{} // source: datagrams by handler
	l, err := Start("spread", ":0", Options{Sockets: sockets, Buffer: 1 << 20}, func() Handler {
		number := handlers
		handlers++
		return func(_ []byte, source netip.AddrPort, _ time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if at[source] == nil {
				at[source] = map[int]int{}
			}
			at[source][number]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if handlers != sockets {
		t.Fatalf("%d handlers were made for %d sockets", handlers, sockets)
	}
	for _, conn := range exporters(t, sources, l) {
		for range each {
			send(t, conn, []byte("datagram"))
		}
	}
	l.Stop()
	used := map[int]bool{}
	for source, by := range at {
		for number, datagrams := range by {
			used[number] = true
			if datagrams != each {
				t.Errorf("handler %d got %d of the %d datagrams of %v", number, datagrams, each, source)
			}
		}
	}
	// That 64 sources leave one of four sockets out has a probability below 1 in 20 million.
	if len(at) != sources || len(used) != sockets {
		t.Errorf("datagrams of %d sources arrived at %d sockets, want %d at %d", len(at), len(used), sources, sockets)
	}
}

func TestOnlyTheSocketsOfOneListenerShareAnAddress(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			l := startShared(t, 3, address, 1<<20, func([]byte, netip.AddrPort, time.Time) {})
			defer l.Stop()
			taken := l.Addr().String()
			for _, sockets := range []int{1, 3} {
				second, err := Start("second", taken, Options{Sockets: sockets, Buffer: 1 << 20}, func() Handler { return nil })
				if err == nil {
					second.Stop()
					t.Fatalf("a second listener with %d sockets was opened", sockets)
				}
				if !strings.Contains(err.Error(), "listen for second on udp "+taken) || !strings.Contains(err.Error(), "address already in use") {
					t.Errorf("error %q, want one that names the taken address", err)
				}
			}
		})
	}
}

func TestAddressIsFreeAfterStop(t *testing.T) {
	l := startShared(t, 3, "127.0.0.1:0", 1<<20, func([]byte, netip.AddrPort, time.Time) {})
	address := l.Addr().String()
	l.Stop()
	l = startShared(t, 3, address, 1<<20, func([]byte, netip.AddrPort, time.Time) {})
	l.Stop()
}

func TestReceivedAndDroppedAddUpOverTheSockets(t *testing.T) {
	release := make(chan struct{})
	l := startShared(t, 3, "127.0.0.1:0", 8<<10, func([]byte, netip.AddrPort, time.Time) { <-release })
	const sources, each = 30, 50
	for _, conn := range exporters(t, sources, l) {
		for range each {
			send(t, conn, make([]byte, 1000))
		}
	}
	close(release)
	l.Stop()
	received, drops := metric(t, l, "netmeta_listen_datagrams_total"), metric(t, l, dropsTotal)
	if received == 0 || drops == 0 || received+drops != sources*each {
		t.Errorf("%d received and %d dropped, %d were sent", received, drops, sources*each)
	}
}

func TestDatagramsReadTogetherKeepTheirOrderSizeAndSource(t *testing.T) {
	begin := make(chan struct{})
	type arrival struct {
		size   int
		last   byte
		source netip.AddrPort
	}
	var got []arrival
	l := start(t, "127.0.0.1:0", 8<<20, func(datagram []byte, source netip.AddrPort, _ time.Time) {
		<-begin
		got = append(got, arrival{len(datagram), datagram[len(datagram)-1], source})
	})
	conns := exporters(t, 2, l)
	var want []arrival
	for i := range 3 * batchSize {
		conn, size := conns[i%2], 1+i*37
		datagram := make([]byte, size)
		datagram[size-1] = byte(i)
		send(t, conn, datagram)
		want = append(want, arrival{size, byte(i), conn.LocalAddr().(*net.UDPAddr).AddrPort()})
	}
	close(begin)
	l.Stop()
	if len(got) != len(want) {
		t.Fatalf("%d datagrams arrived, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("datagram %d: %v, want %v", i, got[i], want[i])
		}
	}
}
