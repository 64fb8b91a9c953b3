package listen

import (
	"encoding/binary"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// controlSize holds the one control message that is asked for: SO_RXQ_OVFL.
var controlSize = unix.CmsgSpace(4)

// prepareSocket asks for a receive buffer of the given size, beyond the system's
// limit where the process may (CAP_NET_ADMIN), and for the kernel's count of drops
// with every datagram (socket(7), SO_RXQ_OVFL). It returns the granted size.
func prepareSocket(conn *net.UDPConn, buffer int) (granted int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
		}
		if failed == nil {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
		}
		if failed == nil {
			granted, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		}
	})
	if err == nil {
		err = failed
	}
	// The kernel answers with twice the size, to account for its own overhead.
	return granted / 2, err
}

// dropCounter follows the kernel's count of datagrams dropped at one socket, which
// is a 32 bit number that comes with the datagrams and wraps.
type dropCounter struct {
	counter prometheus.Counter
	last    uint32
}

func (d *dropCounter) read(control []byte) {
	const header = unix.SizeofCmsghdr
	if len(control) < header+4 {
		return
	}
	if typ := int32(binary.NativeEndian.Uint32(control[header-4:])); typ != unix.SO_RXQ_OVFL {
		return
	}
	total := binary.NativeEndian.Uint32(control[header:])
	if total != d.last {
		d.counter.Add(float64(total - d.last))
		d.last = total
	}
}
