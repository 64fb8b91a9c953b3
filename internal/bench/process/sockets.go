//go:build linux

package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Sockets sums the UDP sockets at one port.
type Sockets struct {
	Open    int
	Waiting int // bytes in the receive buffers
	Drops   int // datagrams, since they were opened
}

// ReadSockets looks up the sockets of IPv4 at a port.
func ReadSockets(port int) (Sockets, error) {
	file, err := os.Open("/proc/net/udp")
	if err != nil {
		return Sockets{}, fmt.Errorf("read the state of sockets: %w", err)
	}
	defer file.Close()
	return parseSockets(file, port)
}

// parseSockets reads the format of /proc/net/udp.
func parseSockets(in io.Reader, port int) (s Sockets, err error) {
	lines := bufio.NewScanner(in)
	lines.Scan() // the heading
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 13 {
			return s, fmt.Errorf("read the state of sockets: %q has %d columns, want 13", lines.Text(), len(fields))
		}
		_, local, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(local, 16, 16); err != nil || int(n) != port {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		waiting, err := strconv.ParseUint(queue, 16, 32)
		if err != nil {
			return s, fmt.Errorf("read the state of sockets: receive queue %q: %w", fields[4], err)
		}
		drops, err := strconv.Atoi(fields[12])
		if err != nil {
			return s, fmt.Errorf("read the state of sockets: drops %q: %w", fields[12], err)
		}
		s.Open++
		s.Waiting += int(waiting)
		s.Drops += drops
	}
	return s, lines.Err()
}
