package listen

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkReceive empties a full socket buffer: the cost in processor time of one
// datagram, read in batches and, to compare, one by one as the net package does.
func BenchmarkReceive(b *testing.B) {
	b.Run("batches", func(b *testing.B) {
		c, err := bind("127.0.0.1:0", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.close()
		if _, err := c.setBuffer(4 << 20); err != nil {
			b.Fatal(err)
		}
		benchmarkReceive(b, c.address, func() int {
			n, err := c.read()
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				if !c.source(i).IsValid() {
					b.Fatal("a datagram without a source")
				}
			}
			return n
		})
	})
	b.Run("one by one", func(b *testing.B) {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetReadBuffer(4 << 20); err != nil {
			b.Fatal(err)
		}
		buffer := make([]byte, maxDatagram)
		benchmarkReceive(b, conn.LocalAddr().(*net.UDPAddr).AddrPort(), func() int {
			if _, _, err := conn.ReadFromUDPAddrPort(buffer); err != nil {
				b.Fatal(err)
			}
			return 1
		})
	})
}

func benchmarkReceive(b *testing.B, to netip.AddrPort, read func() int) {
	sender, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	const fill = 1000 // datagrams, which fit into the buffer
	datagram := make([]byte, 1400)
	datagrams, spent := 0, time.Duration(0)
	for b.Loop() {
		for range fill {
			send(b, sender, datagram)
		}
		began := threadTime(b)
		for left := fill; left > 0; {
			left -= read()
		}
		spent += threadTime(b) - began
		datagrams += fill
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(datagrams), "cpu-ns/datagram")
}

// threadTime is the processor time that this thread has used.
func threadTime(b *testing.B) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		b.Fatal(err)
	}
	return time.Duration(now.Nano())
}
