//go:build !linux

package listen

import (
	"net"

	"github.com/prometheus/client_golang/prometheus"
)

const controlSize = 0

// prepareSocket asks for a receive buffer. What the kernel grants and what it
// drops cannot be asked for here; the size is believed.
func prepareSocket(conn *net.UDPConn, buffer int) (granted int, err error) {
	return buffer, conn.SetReadBuffer(buffer)
}

type dropCounter struct{ counter prometheus.Counter }

func (*dropCounter) read([]byte) {}
