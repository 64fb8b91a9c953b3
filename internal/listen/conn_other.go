//go:build !linux

package listen

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// batchSize is how many datagrams one system call reads.
const batchSize = 1

// drainPause without a datagram means that the buffer is empty.
const drainPause = 50 * time.Millisecond

// conn is a UDP socket from which one datagram is read at a time.
type conn struct {
	udp     *net.UDPConn
	address netip.AddrPort
	buffer  []byte
	length  int
	from    netip.AddrPort
	counted uint32
}

func newConn(u *net.UDPConn) (*conn, error) {
	return &conn{udp: u, address: u.LocalAddr().(*net.UDPAddr).AddrPort(), buffer: make([]byte, maxDatagram)}, nil
}

func (c *conn) close() { c.udp.Close() }

// read waits for a datagram and returns how many it has read. After stop it returns 0
// when none comes for a while.
func (c *conn) read() (n int, err error) {
	c.length, c.from, err = c.udp.ReadFromUDPAddrPort(c.buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if err := c.udp.SetReadDeadline(time.Now().Add(drainPause)); err != nil {
			return 0, err
		}
		c.length, c.from, err = c.udp.ReadFromUDPAddrPort(c.buffer)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func (c *conn) datagram(int) []byte { return c.buffer[:c.length] }

func (c *conn) source(int) netip.AddrPort {
	return netip.AddrPortFrom(c.from.Addr().Unmap().WithZone(""), c.from.Port())
}

// stop ends waiting.
func (c *conn) stop() error { return c.udp.SetReadDeadline(time.Now()) }

// canShare is false: only Linux spreads exporters among the sockets of an address.
const canShare = false

func (c *conn) share() error { return syscall.ENOTSUP }

func shareBeforeBind(string, string, syscall.RawConn) error { return syscall.ENOTSUP }

// setBuffer asks for a receive buffer. What the system grants cannot be asked for
// here; the size is believed.
func (c *conn) setBuffer(size int) (granted int, err error) { return size, c.udp.SetReadBuffer(size) }

// drops returns 0: only Linux says what it drops at a socket.
func (c *conn) drops() (uint32, error) { return 0, nil }

// refuse does nothing here: datagrams arrive until the socket is closed.
func (c *conn) refuse() error { return nil }
