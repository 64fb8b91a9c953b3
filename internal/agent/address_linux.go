package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// DefaultExporter returns the address of this host that packets to the default route's
// networks have: IPv4 where there is such a route, else IPv6.
func DefaultExporter() (netip.Addr, error) {
	// Connecting a UDP socket sends nothing: the kernel only chooses a source address.
	for _, anywhere := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := net.Dial("udp", anywhere)
		if err != nil {
			continue
		}
		address := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		conn.Close()
		return address.Unmap().WithZone(""), nil
	}
	return netip.Addr{}, errors.New("this host has no default route whose address could name it: give --exporter ADDRESS")
}

// addresses are those of this host.
type addresses struct {
	known atomic.Pointer[map[netip.Addr]struct{}]
}

func newAddresses() *addresses {
	a := &addresses{}
	a.read()
	return a
}

// read asks the kernel. Where it does not answer, what was known before stays.
func (a *addresses) read() {
	all, err := net.InterfaceAddrs()
	if err != nil {
		if a.known.Load() == nil {
			a.known.Store(&map[netip.Addr]struct{}{})
		}
		return
	}
	known := make(map[netip.Addr]struct{}, len(all))
	for _, address := range all {
		if network, ok := address.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(network.IP); ok {
				known[ip.Unmap()] = struct{}{}
			}
		}
	}
	a.known.Store(&known)
}

// keep reads them again every minute until ctx ends.
func (a *addresses) keep(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.read()
		}
	}
}

func (a *addresses) local(address netip.Addr) bool {
	_, ok := (*a.known.Load())[address]
	return ok
}
