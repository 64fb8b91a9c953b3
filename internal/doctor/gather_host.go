package doctor

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// boundSockets looks which of the sockets of this host are bound. Where the system does
// not tell, none are returned.
func boundSockets(sockets []Socket) (found []Socket) {
	ports := map[int]bool{}
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		if err := readPorts(file, ports); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if len(ports) == 0 {
		return nil
	}
	for _, s := range sockets {
		_, port, err := net.SplitHostPort(s.Address)
		number, notNumber := strconv.Atoi(port)
		if err == nil && notNumber == nil {
			s.Bound = ports[number]
			found = append(found, s)
		}
	}
	return found
}

// readPorts adds the local ports of a table of sockets: the second field of each line is
// ADDRESS:PORT in hexadecimal digits.
func readPorts(file string, ports map[int]bool) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		_, hexadecimal, _ := strings.Cut(fields[1], ":")
		if port, err := strconv.ParseInt(hexadecimal, 16, 32); err == nil {
			ports[int(port)] = true
		}
	}
	return nil
}

func statSpace(dir string) Space {
	var stat unix.Statfs_t
	err := unix.Statfs(dir, &stat)
	return Space{Path: dir, Free: stat.Bavail * uint64(stat.Bsize), Total: stat.Blocks * uint64(stat.Bsize), Keep: brokerReserve, Err: err}
}
