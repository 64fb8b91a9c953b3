package listen

import (
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkReceive empties a full socket buffer: the cost in processor time of one
// datagram, read in batches and, to compare, one by one.
func BenchmarkReceive(b *testing.B) {
	b.Run("batches", func(b *testing.B) {
		benchmarkReceive(b, func(conn *net.UDPConn) func() int {
			batch, err := newBatch(conn)
			if err != nil {
				b.Fatal(err)
			}
			return func() int {
				n, err := batch.read()
				if err != nil {
					b.Fatal(err)
				}
				sum := 0
				for i := range n {
					sum += len(batch.datagram(i)) + int(batch.source(i).Port())
				}
				return n
			}
		})
	})
	b.Run("one by one", func(b *testing.B) {
		benchmarkReceive(b, func(conn *net.UDPConn) func() int {
			buffer := make([]byte, maxDatagram)
			return func() int {
				if _, _, err := conn.ReadFromUDPAddrPort(buffer); err != nil {
					b.Fatal(err)
				}
				return 1
			}
		})
	})
}

func benchmarkReceive(b *testing.B, newReader func(*net.UDPConn) (read func() int)) {
	conn, err := bind("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := setBuffer(conn, 4<<20); err != nil {
		b.Fatal(err)
	}
	sender, err := net.DialUDP("udp4", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	const fill = 1000 // datagrams, which fit into the buffer
	datagram, read := make([]byte, 1400), newReader(conn)
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
