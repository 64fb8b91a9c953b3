package listen

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// resume has another handler read what a listener was paused with.
func resume(t *testing.T, passed []Passed, handle Handler) *Listener {
	t.Helper()
	l, err := Resume(passed, Options{Buffer: 1 << 20}, func() Handler { return handle })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWhatArrivesBetweenPauseAndResumeIsHandled(t *testing.T) {
	for _, sockets := range []int{1, 3} {
		t.Run(fmt.Sprint(sockets, " sockets"), func(t *testing.T) {
			var first, second atomic.Int32
			l := startShared(t, sockets, "127.0.0.1:0", 1<<20, func([]byte, netip.AddrPort, time.Time) { first.Add(1) })
			conns := exporters(t, 16, l)
			for _, conn := range conns {
				send(t, conn, []byte("before"))
			}
			passed := l.Pause()
			if len(passed) != sockets || passed[0].Address != "127.0.0.1:0" || passed[0].Namespace == "" {
				t.Fatalf("%d sockets were passed, of %+v, want %d", len(passed), passed[0], sockets)
			}
			read := int(first.Load()) // what was in the buffers stays there
			for _, conn := range conns {
				send(t, conn, []byte("meanwhile"))
			}
			again := resume(t, passed, func([]byte, netip.AddrPort, time.Time) { second.Add(1) })
			if again.Addr() != l.Addr() {
				t.Errorf("it goes on at %v, and was at %v", again.Addr(), l.Addr())
			}
			for _, conn := range conns {
				send(t, conn, []byte("after"))
			}
			again.Stop()
			if got := read + int(second.Load()); got != 3*len(conns) || int(first.Load()) != read {
				t.Errorf("%d datagrams of %d were handled, %d of them before", got, 3*len(conns), read)
			}
		})
	}
}

func TestDropsAreCountedOnceAcrossResume(t *testing.T) {
	const sent = 2000
	var handled atomic.Int32
	handle := func([]byte, netip.AddrPort, time.Time) { handled.Add(1) }
	l := start(t, "127.0.0.1:0", 1, handle) // the smallest buffer that the kernel gives
	conn := dial(t, "udp4", "127.0.0.1", l)
	passed := l.Pause()
	for range sent {
		send(t, conn, make([]byte, 1000))
	}
	again, err := Resume(passed, Options{Buffer: 1}, func() Handler { return handle })
	if err != nil {
		t.Fatal(err)
	}
	passed = again.Pause()
	dropped := metric(t, again, "netmeta_listen_kernel_drops_total")
	if dropped == 0 || passed[0].Drops != uint32(dropped) {
		t.Fatalf("%d drops were counted, and %d are passed on: want the same, and some", dropped, passed[0].Drops)
	}
	last := resume(t, passed, handle)
	last.Stop()
	if got := int(handled.Load()) + metric(t, last, "netmeta_listen_kernel_drops_total"); got != sent {
		t.Errorf("%d handled and dropped, of %d", got, sent)
	}
}

func TestSocketThatIsNoneIsRefused(t *testing.T) {
	l := start(t, "127.0.0.1:0", 1<<20, func([]byte, netip.AddrPort, time.Time) {})
	passed := l.Pause()
	if err := passed[0].Close(); err != nil {
		t.Fatal(err)
	}
	passed[0].Descriptor = -1
	if _, err := Resume(passed, Options{Buffer: 1}, nil); err == nil {
		t.Error("what is no descriptor is taken for a socket")
	}
}
