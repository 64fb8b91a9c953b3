package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"
)

// open binds count sockets to address, fewer where the system cannot share it.
//
// The first is bound alone, so that an address that is taken gives the usual error
// whoever has it. Only then is it shared: Linux admits another socket if both have
// SO_REUSEPORT at that moment.
func open(address string, count int) ([]*net.UDPConn, error) {
	first, err := bind(address, nil)
	if err != nil {
		return nil, err
	}
	conns := []*net.UDPConn{first}
	if !canShare || count == 1 {
		return conns, nil
	}
	if err := share(first); err != nil {
		closeAll(conns)
		return nil, err
	}
	for len(conns) < count {
		// The address that the first got: the port may have been 0.
		conn, err := bind(first.LocalAddr().String(), shareBeforeBind)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func bind(address string, control func(network, address string, raw syscall.RawConn) error) (*net.UDPConn, error) {
	packet, err := (&net.ListenConfig{Control: control}).ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, err
	}
	return packet.(*net.UDPConn), nil
}

// socket is one of a listener's sockets, and its reader.
type socket struct {
	*Listener
	conn   *net.UDPConn
	handle Handler
	batch  *batch
}

func newSocket(l *Listener, conn *net.UDPConn, handle Handler) (*socket, error) {
	b, err := newBatch(conn)
	if err != nil {
		return nil, err
	}
	return &socket{Listener: l, conn: conn, handle: handle, batch: b}, nil
}

const (
	// drainPause without a datagram means that the buffer is empty.
	drainPause = 50 * time.Millisecond
	// drainLimit is far more than a full buffer takes. It ends Stop where datagrams
	// cannot be refused and arrive without a pause.
	drainLimit = 5 * time.Second
)

// run receives until Stop sets a deadline, and then what is left.
func (s *socket) run() {
	for s.receive() {
	}
	for end := time.Now().Add(drainLimit); time.Now().Before(end); {
		s.conn.SetReadDeadline(time.Now().Add(drainPause))
		if !s.receive() {
			return
		}
	}
}

// receive waits for datagrams and handles as many as are read at once. It returns
// false when the read deadline has passed.
func (s *socket) receive() bool {
	n, err := s.batch.read()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if err != nil {
		// For example an ICMP error that belongs to nobody: the socket goes on.
		s.errors.Inc()
		s.logging.Do(func() {
			slog.Warn("listen: read failed (all failures are counted, only some are logged)", "listener", s.name, "error", err)
		})
		time.Sleep(10 * time.Millisecond)
		return true
	}
	received, bytes := time.Now(), 0
	for i := range n {
		bytes += len(s.batch.datagram(i))
	}
	s.datagrams.Add(float64(n))
	s.bytes.Add(float64(bytes))
	for i := range n {
		s.handle(s.batch.datagram(i), s.batch.source(i), received)
	}
	return true
}
