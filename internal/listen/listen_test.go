package listen

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestDatagramsOfEverySizeArriveWholeWithTheirSource(t *testing.T) {
	longest := make([]byte, 65507)
	for i := range longest {
		longest[i] = byte(i * 7)
	}
	type arrival struct {
		datagram []byte
		source   netip.AddrPort
		received time.Time
	}
	for _, test := range []struct{ name, listen, network, host string }{
		{"IPv4", "127.0.0.1:0", "udp4", "127.0.0.1"},
		{"IPv6", "[::1]:0", "udp6", "::1"},
		{"IPv4 at a socket for both", ":0", "udp4", "127.0.0.1"},
		{"IPv6 at a socket for both", ":0", "udp6", "::1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			arrived := make(chan arrival, 1)
			l := start(t, test.listen, 1<<20, func(datagram []byte, source netip.AddrPort, received time.Time) {
				arrived <- arrival{bytes.Clone(datagram), source, received}
			})
			defer l.Stop()
			conn := dial(t, test.network, test.host, l)
			from := conn.LocalAddr().(*net.UDPAddr).AddrPort()
			total := 0
			for _, size := range []int{0, 1, 2, 1472, 1473, 9000, 65506, 65507} {
				sent := time.Now()
				send(t, conn, longest[:size])
				got := <-arrived
				if !bytes.Equal(got.datagram, longest[:size]) {
					t.Errorf("a datagram of %d bytes arrived with %d, or changed", size, len(got.datagram))
				}
				if got.source != from {
					t.Errorf("source %v, want %v", got.source, from)
				}
				if got.received.Before(sent) || got.received.After(time.Now()) {
					t.Errorf("received at %v, want a time since %v", got.received, sent)
				}
				total += size
			}
			if n, size := metric(t, l, "netmeta_listen_datagrams_total"), metric(t, l, "netmeta_listen_bytes_total"); n != 8 || size != total {
				t.Errorf("counted %d datagrams with %d bytes, want 8 with %d", n, size, total)
			}
			if seconds := testutil.ToFloat64(l.handling); seconds <= 0 {
				t.Errorf("handling them took %v seconds", seconds)
			}
		})
	}
}

func TestAddressThatCannotBeOpenedIsNamed(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct{ address, want string }{
		"taken port":        {taken.LocalAddr().String(), "address already in use"},
		"not our address":   {"192.0.2.1:6343", "assign requested address"},
		"no port":           {"127.0.0.1", "missing port"},
		"port out of range": {"127.0.0.1:65536", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start("sflow", test.address, Options{Sockets: 2, Buffer: 1 << 20}, func() Handler { return nil })
			if err == nil {
				t.Fatal("it was opened")
			}
			for _, want := range []string{"listen for sflow on udp " + test.address, test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestStopHandlesWhatHadArrivedAndNothingLater(t *testing.T) {
	begin := make(chan struct{})
	var handled atomic.Int32
	var stopped atomic.Bool
	l := start(t, "127.0.0.1:0", 4<<20, func([]byte, netip.AddrPort, time.Time) {
		<-begin
		time.Sleep(time.Millisecond) // a slow decoder: all together take longer than a pause that ends Stop
		if stopped.Load() {
			t.Error("a datagram was handled after Stop had returned")
		}
		handled.Add(1)
	})
	conn := dial(t, "udp4", "127.0.0.1", l)
	const n = 200
	for range n {
		send(t, conn, make([]byte, 100))
	}
	close(begin)
	l.Stop()
	stopped.Store(true)
	if handled.Load() != n {
		t.Errorf("%d of %d datagrams were handled before Stop returned", handled.Load(), n)
	}
	conn.Write(make([]byte, 100)) // may fail: nothing listens any more
	if received := metric(t, l, "netmeta_listen_datagrams_total"); received != n {
		t.Errorf("%d datagrams counted as received, want %d", received, n)
	}
}

func TestFailedReadsAreAllCountedAndLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)

	l := start(t, "127.0.0.1:0", 1<<20, nil)
	l.Stop()
	for range 5 {
		l.sockets[0].receive() // fails, as the socket is closed
	}
	if failed := metric(t, l, "netmeta_listen_errors_total"); failed != 5 {
		t.Errorf("%d failures counted, want 5", failed)
	}
	if lines := strings.Count(log.String(), "read failed"); lines != 1 {
		t.Errorf("logged %d times, want once:\n%s", lines, log.String())
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	for _, test := range []struct{ name, network, host string }{
		{"IPv4", "udp4", "127.0.0.1"},
		{"IPv6", "udp6", "::1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			handled := make(chan struct{}, 1)
			l := start(t, ":0", 1<<20, func([]byte, netip.AddrPort, time.Time) { handled <- struct{}{} })
			defer l.Stop()
			conn, datagram := dial(t, test.network, test.host, l), make([]byte, 1400)
			allocations := testing.AllocsPerRun(1000, func() {
				conn.Write(datagram)
				<-handled
			})
			if allocations != 0 {
				t.Errorf("%v allocations for each datagram", allocations)
			}
		})
	}
}
