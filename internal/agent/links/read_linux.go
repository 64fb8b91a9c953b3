package links

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
)

// Read returns all interfaces of the network namespace. It needs no privileges.
func Read() ([]flow.Counters, error) {
	socket, err := netlink.Open(unix.NETLINK_ROUTE, 0)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	var all []flow.Counters
	request := netlink.NewRequest(typeGetLink, make([]byte, infoSize))
	if err := socket.Dump(request, func(m netlink.Message) {
		var c flow.Counters
		if decode(m, &c) {
			all = append(all, c)
		}
	}); err != nil {
		return nil, fmt.Errorf("ask the kernel for its interfaces: %w", err)
	}
	return all, nil
}
