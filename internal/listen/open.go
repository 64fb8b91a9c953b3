package listen

import (
	"context"
	"net"
	"syscall"
)

// open binds count sockets to address, fewer where the system cannot share it.
//
// The first is bound alone, so that an address that is taken gives the usual error
// whoever has it. Only then is it shared: Linux admits another socket if both have
// SO_REUSEPORT at that moment.
func open(address string, count int) ([]*conn, error) {
	first, err := bind(address, nil)
	if err != nil {
		return nil, err
	}
	conns := []*conn{first}
	if !canShare || count == 1 {
		return conns, nil
	}
	if err := first.share(); err != nil {
		closeAll(conns)
		return nil, err
	}
	for len(conns) < count {
		// The address that the first got: the port may have been 0.
		c, err := bind(first.address.String(), shareBeforeBind)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func bind(address string, control func(network, address string, raw syscall.RawConn) error) (*conn, error) {
	packet, err := (&net.ListenConfig{Control: control}).ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, err
	}
	return newConn(packet.(*net.UDPConn))
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.close()
	}
}
