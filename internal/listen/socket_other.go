//go:build !linux

package listen

import (
	"net"
	"syscall"
)

// canShare is false: only Linux spreads exporters among the sockets of an address.
const canShare = false

func share(*net.UDPConn) error { return syscall.ENOTSUP }

func shareBeforeBind(string, string, syscall.RawConn) error { return syscall.ENOTSUP }

// setBuffer asks for a receive buffer. What the system grants cannot be asked for
// here; the size is believed.
func setBuffer(conn *net.UDPConn, size int) (granted int, err error) {
	return size, conn.SetReadBuffer(size)
}

// socketDrops returns 0: only Linux says what it drops at a socket.
func socketDrops(*net.UDPConn) (uint32, error) { return 0, nil }

// refuse does nothing here: datagrams arrive until the socket is closed.
func refuse(*net.UDPConn) error { return nil }
