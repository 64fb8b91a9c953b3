package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// conn is a UDP socket that Go's network poller does not know. The poller waits for
// all its sockets at all times, so every datagram would wake it, also while the reader
// is busy with those before or pauses to let more come.
type conn struct {
	batch
	address  netip.AddrPort
	fd       int // -1 when closed
	waker    int // eventfd that ends a wait
	counted  uint32
	stopping atomic.Bool
}

// newConn takes the socket of u away from the poller. u is closed.
func newConn(u *net.UDPConn) (*conn, error) {
	c := &conn{address: u.LocalAddr().(*net.UDPAddr).AddrPort(), fd: -1, waker: -1}
	c.batch.init()
	raw, err := u.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	var failed error
	err = raw.Control(func(fd uintptr) { c.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, failed, u.Close()); err != nil {
		c.close()
		return nil, fmt.Errorf("take over the socket: %w", err)
	}
	if err := c.addWaker(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) addWaker() (err error) {
	c.waker, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return os.NewSyscallError("eventfd", err)
}

func (c *conn) close() {
	for _, fd := range []*int{&c.fd, &c.waker} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
}

// read waits until there is a datagram and returns how many it has read, at most
// batchSize. After stop it does not wait any more: it returns 0 when there is none.
// What an earlier call has read is overwritten.
func (c *conn) read() (int, error) {
	for {
		n, errno := c.receive(c.fd)
		switch {
		case errno == 0:
			return n, nil
		case errno == unix.EINTR:
		case errno != unix.EAGAIN:
			return 0, os.NewSyscallError("recvmmsg", errno)
		case c.stopping.Load():
			return 0, nil
		default:
			if err := c.wait(); err != nil {
				return 0, err
			}
		}
	}
}

// wait returns when there is something to read, or to stop for. It keeps the thread:
// as only idle sockets get here, and not at every datagram, that is cheaper than the
// poller.
func (c *conn) wait() error {
	watched := [...]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}, {Fd: int32(c.waker), Events: unix.POLLIN}}
	if _, err := unix.Poll(watched[:], -1); err != nil && err != unix.EINTR {
		return os.NewSyscallError("poll", err)
	}
	return nil
}

// stop ends waiting, now and in future.
func (c *conn) stop() error {
	c.stopping.Store(true)
	_, err := unix.Write(c.waker, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return os.NewSyscallError("write to eventfd", err)
}

// canShare says that several sockets can share an address.
const canShare = true

// share admits further sockets to the address.
func (c *conn) share() error { return share(c.fd) }

// shareBeforeBind is a net.ListenConfig.Control for a further socket of an address.
func shareBeforeBind(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = share(int(fd)) })
	return errors.Join(err, failed)
}

func share(fd int) error {
	return os.NewSyscallError("setsockopt SO_REUSEPORT", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

// setBuffer asks for a receive buffer of the given size, beyond the system's limit
// where the process may (CAP_NET_ADMIN), and returns the granted size.
func (c *conn) setBuffer(size int) (granted int, err error) {
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
			return 0, err
		}
	}
	granted, err = unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	// The kernel answers with twice the size, to account for its own overhead.
	return granted / 2, err
}

// drops returns how many datagrams the kernel has dropped at the socket, modulo 2^32.
// SO_RXQ_OVFL would say the same, but only with the next datagram.
func (c *conn) drops() (total uint32, err error) { return drops(c.fd) }

func drops(fd int) (total uint32, err error) {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, os.NewSyscallError("getsockopt SO_MEMINFO", errno)
	}
	return info[unix.SK_MEMINFO_DROPS], nil
}

// refuse has the kernel drop, and count, every datagram that arrives from now on.
// Those in the buffer stay there.
func (c *conn) refuse() error {
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	return unix.SetsockoptSockFprog(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
}
