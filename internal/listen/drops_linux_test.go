package listen

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const dropsTotal = "netmeta_listen_kernel_drops_total"

func TestOverflowOfTheSocketBufferIsCountedExactly(t *testing.T) {
	release := make(chan struct{})
	l := start(t, "127.0.0.1:0", 8<<10, func([]byte, netip.AddrPort, time.Time) { <-release })
	conn := dial(t, "udp4", "127.0.0.1", l)
	if drops := metric(t, l, dropsTotal); drops != 0 {
		t.Errorf("%d drops before anything was sent", drops)
	}
	const n = 500
	for range n {
		send(t, conn, make([]byte, 1000))
	}
	poll(t, "drops to be counted while the handler is busy", func() bool { return metric(t, l, dropsTotal) > n/2 })
	close(release)
	poll(t, "received and dropped datagrams to be all that were sent", func() bool {
		return metric(t, l, "netmeta_listen_datagrams_total")+metric(t, l, dropsTotal) == n
	})
	l.Stop()
	if received, drops := metric(t, l, "netmeta_listen_datagrams_total"), metric(t, l, dropsTotal); received == 0 || received+drops != n {
		t.Errorf("after Stop: %d received and %d dropped, %d were sent", received, drops, n)
	}
}

// An exporter does not stop because the collector does.
func TestStopEndsUnderLoadAndCountsWhatItRefuses(t *testing.T) {
	var slow sync.Once
	busy := make(chan struct{})
	l := start(t, "127.0.0.1:0", 128<<10, func([]byte, netip.AddrPort, time.Time) {
		slow.Do(func() { close(busy) })
		time.Sleep(time.Millisecond) // slower than they arrive
	})
	conn := dial(t, "udp4", "127.0.0.1", l)
	stopped := make(chan struct{})
	var sent int
	var sender sync.WaitGroup
	sender.Go(func() {
		for {
			select {
			case <-stopped:
				return
			default:
			}
			if _, err := conn.Write(make([]byte, 100)); err != nil {
				return // the socket is closed
			}
			sent++
		}
	})
	<-busy
	began := metric(t, l, "netmeta_listen_datagrams_total")
	l.Stop()
	received, drops := metric(t, l, "netmeta_listen_datagrams_total"), metric(t, l, dropsTotal)
	close(stopped)
	sender.Wait()
	if received == began || drops == 0 || received+drops > sent {
		t.Errorf("%d received (%d before Stop) and %d dropped of %d sent", received, began, drops, sent)
	}
}

func TestKernelCountOfDropsMayWrap(t *testing.T) {
	for name, test := range map[string]struct {
		kernel []uint32
		want   float64
	}{
		"nothing dropped":       {[]uint32{0, 0}, 0},
		"drops":                 {[]uint32{3, 3, 10}, 10},
		"wrap":                  {[]uint32{1<<32 - 1, 4}, 1<<32 + 4},
		"wrap to the same":      {[]uint32{5, 1<<32 - 5, 5}, 1<<32 + 5},
		"several wraps":         {[]uint32{1 << 31, 0, 1 << 31, 0, 1}, 2<<32 + 1},
		"exactly one full turn": {[]uint32{1<<32 - 1, 0}, 1 << 32},
	} {
		t.Run(name, func(t *testing.T) {
			c := &dropCounter{
				CounterVec: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "drops"}, []string{"listener"}),
				last:       map[*socket]uint32{},
			}
			s := &socket{Listener: &Listener{name: "sflow"}}
			for _, total := range test.kernel {
				c.count(s, total)
			}
			if got := testutil.ToFloat64(c.CounterVec); got != test.want {
				t.Errorf("counted %.0f, want %.0f", got, test.want)
			}
		})
	}
}

func TestDropsOfListenersWithOneNameAddUp(t *testing.T) {
	name := fmt.Sprint("listener ", started.Add(1))
	var l *Listener
	for range 2 {
		release := make(chan struct{})
		l = startAs(t, name, "127.0.0.1:0", 8<<10, func([]byte, netip.AddrPort, time.Time) { <-release })
		conn := dial(t, "udp4", "127.0.0.1", l)
		for range 100 {
			send(t, conn, make([]byte, 1000))
		}
		close(release)
		l.Stop()
	}
	if received, drops := metric(t, l, "netmeta_listen_datagrams_total"), metric(t, l, dropsTotal); drops == 0 || received+drops != 200 {
		t.Errorf("%d received and %d dropped, 200 were sent", received, drops)
	}
}
