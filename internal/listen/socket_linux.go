package listen

import (
	"errors"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canShare says that several sockets can share an address.
const canShare = true

// share admits further sockets to the address of conn.
func share(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return shareBeforeBind("", "", raw)
}

// shareBeforeBind is a net.ListenConfig.Control for a further socket of an address.
func shareBeforeBind(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return os.NewSyscallError("setsockopt SO_REUSEPORT", errors.Join(err, failed))
}

// control calls f with the socket's file descriptor.
func control(conn *net.UDPConn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}

// setBuffer asks for a receive buffer of the given size, beyond the system's limit
// where the process may (CAP_NET_ADMIN), and returns the granted size.
func setBuffer(conn *net.UDPConn, size int) (granted int, err error) {
	err = control(conn, func(fd int) error {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
				return err
			}
		}
		granted, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return err
	})
	// The kernel answers with twice the size, to account for its own overhead.
	return granted / 2, err
}

// socketDrops returns how many datagrams the kernel has dropped at the socket, modulo
// 2^32. SO_RXQ_OVFL would say the same, but only with the next datagram.
func socketDrops(conn *net.UDPConn) (total uint32, err error) {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	err = control(conn, func(fd int) error {
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	return info[unix.SK_MEMINFO_DROPS], err
}

// refuse has the kernel drop, and count, every datagram that arrives from now on.
// Those in the buffer stay there.
func refuse(conn *net.UDPConn) error {
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	return control(conn, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
	})
}
