//go:build !linux

package listen

import (
	"net"
	"net/netip"
)

// batch reads one datagram at a time: only Linux can read several at once.
type batch struct {
	conn   *net.UDPConn
	buffer []byte
	length int
	from   netip.AddrPort
}

func newBatch(conn *net.UDPConn) (*batch, error) {
	return &batch{conn: conn, buffer: make([]byte, maxDatagram)}, nil
}

// read waits for a datagram and returns how many it has read, which is one.
func (b *batch) read() (int, error) {
	var err error
	b.length, b.from, err = b.conn.ReadFromUDPAddrPort(b.buffer)
	return 1, err
}

func (b *batch) datagram(int) []byte { return b.buffer[:b.length] }

func (b *batch) source(int) netip.AddrPort {
	return netip.AddrPortFrom(b.from.Addr().Unmap().WithZone(""), b.from.Port())
}
