package netlink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize takes whatever the kernel puts into one datagram: it makes none above 64 KiB
// of messages of netfilter, and of dumps none above 32 KiB.
const bufferSize = 128 << 10

// answerTimeout is how long the kernel may take for an answer; it takes microseconds.
const answerTimeout = 5 * time.Second

// Socket is a netlink socket. One goroutine uses it, but for Close.
type Socket struct {
	file     *os.File
	raw      syscall.RawConn
	buffer   []byte
	sequence uint32

	interrupted atomic.Bool

	// The last read, which attempt leaves here: a closure for each would be allocated.
	n   int
	err error
}

// Open opens a socket to a netlink family such as unix.NETLINK_NETFILTER and asks for a
// receive buffer of so many bytes, which needs CAP_NET_ADMIN to be above rmem_max.
func Open(family, buffer int) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, family)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("open a netlink socket: %w: the kernel lacks this netlink family (for netfilter: modprobe nfnetlink)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind a netlink socket: %w", err)
	}
	if buffer > 0 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		// The kernel caps this one silently.
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	s := &Socket{file: os.NewFile(uintptr(fd), "netlink"), buffer: make([]byte, bufferSize)}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	return s, nil
}

// Option sets an option of level SOL_NETLINK.
func (s *Socket) Option(option, value int) error {
	var err error
	if failed := s.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, option, value)
	}); failed != nil {
		return failed
	}
	return err
}

// Close closes the socket.
func (s *Socket) Close() error { return s.file.Close() }

// Interrupt has Receive wait for nothing any more once ctx ends. stop takes that back.
func (s *Socket) Interrupt(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		s.interrupted.Store(true)
		_ = s.file.SetReadDeadline(time.Now()) // fails only once it is closed
	})
}

// Receive waits for a datagram, and returns it; it is valid until the next call.
// unix.ENOBUFS says that the kernel has dropped messages since the last call, and no more:
// the next call goes on. os.ErrDeadlineExceeded comes at the deadline, and after Interrupt
// when all that the kernel has sent so far has been returned.
func (s *Socket) Receive(deadline time.Time) ([]byte, error) {
	if err := s.file.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	if !s.interrupted.Load() {
		if err := s.raw.Read(s.attempt); err == nil {
			return s.buffer[:max(s.n, 0)], s.err
		} else if !s.interrupted.Load() {
			return nil, err
		}
	}
	done := false
	if err := s.raw.Control(func(fd uintptr) { done = s.attempt(fd) }); err != nil {
		return nil, err
	}
	if !done {
		return nil, os.ErrDeadlineExceeded
	}
	return s.buffer[:max(s.n, 0)], s.err
}

func (s *Socket) attempt(fd uintptr) (done bool) {
	for {
		s.n, s.err = unix.Read(int(fd), s.buffer)
		if s.err != unix.EINTR {
			return s.err != unix.EAGAIN
		}
	}
}

// Do sends a request and waits until the kernel acknowledges it. What else comes in the
// meantime goes to others, which may be nil. The error wraps a syscall.Errno.
func (s *Socket) Do(r *Request, others func(Message)) error {
	r.flags(flagAck)
	return s.exchange(r, others, false)
}

// Dump sends a request for all objects of a kind and hands each to each.
func (s *Socket) Dump(r *Request, each func(Message)) error {
	r.flags(flagDump)
	return s.exchange(r, each, true)
}

func (s *Socket) exchange(r *Request, each func(Message), dump bool) error {
	s.sequence++
	if err := s.send(r.finish(s.sequence)); err != nil {
		return err
	}
	deadline := time.Now().Add(answerTimeout)
	for {
		b, err := s.Receive(deadline)
		if errors.Is(err, unix.ENOBUFS) {
			continue // others are lost, an answer to a request that waits is not
		}
		if err != nil {
			return fmt.Errorf("wait for the kernel's answer: %w", err)
		}
		for len(b) > 0 {
			var m Message
			var ok bool
			if m, b, ok, err = Next(b); err != nil {
				return err
			} else if !ok {
				break
			}
			own := m.Sequence == s.sequence
			acknowledges, err := m.Acknowledges()
			switch {
			case own && acknowledges:
				return err
			case own && m.Done() && dump:
				return nil
			case m.Type == typeNoop || acknowledges || m.Done(): // of an earlier request
			case each != nil:
				each(m)
			}
		}
	}
}

func (s *Socket) send(b []byte) error {
	var err error
	failed := s.raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		return err != unix.EAGAIN
	})
	if failed != nil {
		return failed
	}
	return err
}
