package generate

import (
	"net"
	"testing"
)

// listen opens a UDP socket that is closed with the test.
func listen(t testing.TB, address string) net.PacketConn {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}
