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
	last map[*socket]uint32 // the kernel's count at each open socket when it was last asked
}

func newDropCounter() *dropCounter {
	c := &dropCounter{
		CounterVec: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "netmeta_listen_kernel_drops_total",
			Help: "Datagrams that the kernel dropped because a socket's buffer was full or the collector was stopping, by listener. If it grows, raise --socket-buffer and net.core.rmem_max, or give the collector more processors.",
		}, []string{"listener"}),
		last: map[*socket]uint32{},
	}
	prometheus.MustRegister(c)
	return c
}

// Collect implements prometheus.Collector.
func (c *dropCounter) Collect(metrics chan<- prometheus.Metric) {
	c.mu.Lock()
	for s := range c.last {
		c.ask(s)
	}
	c.mu.Unlock()
	c.CounterVec.Collect(metrics)
}

func (c *dropCounter) open(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.WithLabelValues(s.name) // shows 0 from the beginning
	c.last[s] = s.counted
}

// close asks a last time, before the socket is closed or left to another process. It
// returns what the kernel has said.
func (c *dropCounter) close(s *socket) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ask(s)
	total := c.last[s]
	delete(c.last, s)
	return total
}

// ask adds what the kernel has dropped since it was last asked. The caller holds mu.
func (c *dropCounter) ask(s *socket) {
	total, err := s.drops()
	if err != nil {
		slog.Warn("listen: cannot ask the kernel for its count of drops", "listener", s.name, "error", err)
		return
	}
	c.count(s, total)
}

// count takes in the kernel's count, which has 32 bits and wraps. The caller holds mu.
func (c *dropCounter) count(s *socket, total uint32) {
	c.WithLabelValues(s.name).Add(float64(total - c.last[s]))
	c.last[s] = total
}
