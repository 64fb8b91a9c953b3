package listen

import (
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

var kernelDrops = newDropCounter()

// dropCounter is netmeta_listen_kernel_drops_total. The kernel is asked whenever the
// metric is read and when a socket is closed, so that what it says is exact at any
// time, also after the last datagram of a burst.
type dropCounter struct {
	*prometheus.CounterVec

	mu   sync.Mutex
	last map[*Listener]uint32 // the kernel's count at each open socket when it was last asked
}

func newDropCounter() *dropCounter {
	c := &dropCounter{
		CounterVec: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "netmeta_listen_kernel_drops_total",
			Help: "Datagrams that the kernel dropped because the socket's buffer was full or the collector was stopping, by listener.",
		}, []string{"listener"}),
		last: map[*Listener]uint32{},
	}
	prometheus.MustRegister(c)
	return c
}

// Collect implements prometheus.Collector.
func (c *dropCounter) Collect(metrics chan<- prometheus.Metric) {
	c.mu.Lock()
	for l := range c.last {
		c.ask(l)
	}
	c.mu.Unlock()
	c.CounterVec.Collect(metrics)
}

func (c *dropCounter) open(l *Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.WithLabelValues(l.name) // shows 0 from the beginning
	c.last[l] = 0
}

// close asks a last time, before the socket is closed.
func (c *dropCounter) close(l *Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ask(l)
	delete(c.last, l)
}

// ask adds what the kernel has dropped since it was last asked. The caller holds mu.
func (c *dropCounter) ask(l *Listener) {
	total, err := socketDrops(l.conn)
	if err != nil {
		slog.Warn("listen: cannot ask the kernel for its count of drops", "listener", l.name, "error", err)
		return
	}
	c.count(l, total)
}

// count takes in the kernel's count, which has 32 bits and wraps. The caller holds mu.
func (c *dropCounter) count(l *Listener, total uint32) {
	c.WithLabelValues(l.name).Add(float64(total - c.last[l]))
	c.last[l] = total
}
