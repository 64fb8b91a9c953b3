package listen

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// socket is one of a listener's sockets, and its reader.
type socket struct {
	*Listener
	*conn
	handle Handler
	gather time.Duration // pause after a read that has emptied the buffer

	drainEnd atomic.Int64 // Unix nanoseconds; 0 before Stop
}

func newSocket(l *Listener, c *conn, buffer int, handle Handler) *socket {
	return &socket{Listener: l, conn: c, handle: handle, gather: gatherPause(buffer)}
}

// gatherPause returns how long to wait, with a receive buffer of so many bytes, before
// the next read when there is nothing left to read: to be woken for a single datagram
// costs many times what it takes to read and decode it. What 10 Gbit/s bring during a
// pause takes half of the buffer, with all that the kernel adds.
func gatherPause(buffer int) time.Duration {
	const bytesPerPause, longest = 2 << 20, 15 * time.Millisecond
	return min(time.Duration(buffer/bytesPerPause)*time.Millisecond, longest)
}

// drainLimit is far more than a full buffer takes. It ends Stop where datagrams cannot
// be refused and arrive without a pause.
const drainLimit = 5 * time.Second

// finish has run end when it has handled what has arrived.
func (s *socket) finish() {
	if err := s.refuse(); err != nil {
		slog.Warn("listen: cannot have the kernel refuse datagrams while stopping", "listener", s.name, "error", err)
	}
	s.drainEnd.Store(time.Now().Add(drainLimit).UnixNano())
	if err := s.stop(); err != nil {
		slog.Error("listen: cannot wake the reader to stop it", "listener", s.name, "error", err)
	}
}

// leave has run end when it has handled what it has read: the rest stays in the buffer.
func (s *socket) leave() {
	s.drainEnd.Store(1)
	if err := s.stop(); err != nil {
		slog.Error("listen: cannot wake the reader to stop it", "listener", s.name, "error", err)
	}
}

// run receives until finish or leave.
func (s *socket) run() {
	for s.receive() {
	}
}

// receive waits for datagrams and handles as many as are read at once. It returns
// false after finish, when nothing is left.
func (s *socket) receive() bool {
	n, err := s.read()
	received := time.Now()
	if err != nil {
		// For example an ICMP error that belongs to nobody: the socket goes on.
		s.errors.Inc()
		s.logging.Do(func() {
			slog.Warn("listen: read failed (all failures are counted, only some are logged)", "listener", s.name, "error", err)
		})
		time.Sleep(10 * time.Millisecond)
	}
	if n > 0 {
		s.handleAll(n, received)
	}
	if end := s.drainEnd.Load(); end != 0 {
		return (n > 0 || err != nil) && received.UnixNano() < end
	}
	if n < batchSize && s.gather > 0 {
		time.Sleep(s.gather)
	}
	return true
}

// handleAll handles the n datagrams that were read.
func (s *socket) handleAll(n int, received time.Time) {
	bytes := 0
	for i := range n {
		bytes += len(s.datagram(i))
	}
	s.datagrams.Add(float64(n))
	s.bytes.Add(float64(bytes))
	for i := range n {
		s.handle(s.datagram(i), s.source(i), received)
	}
	s.handling.Add(time.Since(received).Seconds())
}
