package listen

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Passed is a socket that one process leaves to another. It stays bound, and what
// arrives waits in its buffer until the other reads it.
type Passed struct {
	Name       string `json:"name"`      // of the listener
	Address    string `json:"address"`   // that the listener was started at, as it was written
	Namespace  string `json:"namespace"` // the network that it is in, as Namespace tells it
	Drops      uint32 `json:"drops"`     // the kernel's count of drops, as far as it is in the metrics
	Descriptor int    `json:"-"`         // of the file; it belongs to whoever has the Passed
}

// Close closes the socket.
func (p Passed) Close() error { return unix.Close(p.Descriptor) }

// Recount has whoever reads on count only the drops from now on.
func (p *Passed) Recount() error {
	drops, err := drops(p.Descriptor)
	if err == nil {
		p.Drops = drops
	}
	return err
}

// Namespace tells the network that this process opens sockets in from those of others.
// It is empty where the kernel does not say.
func Namespace() string {
	namespace, _ := os.Readlink("/proc/self/ns/net")
	return namespace
}

// Pause ends reading and returns the sockets. What was read has been handled then, and
// nothing that arrived is lost. Resume reads on, here or in another process.
func (l *Listener) Pause() (passed []Passed) {
	for _, s := range l.sockets {
		s.leave()
	}
	l.wait.Wait()
	for _, s := range l.sockets {
		drops := kernelDrops.close(s)
		passed = append(passed, Passed{Name: l.name, Address: l.opened, Namespace: l.namespace, Drops: drops, Descriptor: s.fd})
		s.fd = -1
		s.close()
	}
	return passed
}

// Resume reads the sockets of a listener that was paused, all of it or some, as Start
// reads those that it has opened. It owns them from now on, also if it fails.
func Resume(passed []Passed, o Options, newHandler func() Handler) (*Listener, error) {
	var conns []*conn
	for i, p := range passed {
		c, err := adopt(p)
		if err != nil {
			closeAll(conns)
			for _, p := range passed[i+1:] {
				p.Close()
			}
			return nil, fmt.Errorf("listen for %s on the socket of udp %s that was left by another process: %w", p.Name, p.Address, err)
		}
		conns = append(conns, c)
	}
	l, err := begin(passed[0].Name, passed[0].Address, conns, o, newHandler)
	if err != nil {
		return nil, err
	}
	l.namespace = passed[0].Namespace
	return l, nil
}

// adopt makes a conn of a socket.
func adopt(p Passed) (*conn, error) {
	c := &conn{fd: p.Descriptor, waker: -1, counted: p.Drops}
	c.batch.init()
	bound, err := unix.Getsockname(c.fd)
	if err != nil {
		c.close()
		return nil, os.NewSyscallError("getsockname", err)
	}
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		c.address = netip.AddrPortFrom(netip.AddrFrom4(bound.Addr), uint16(bound.Port))
	case *unix.SockaddrInet6:
		c.address = netip.AddrPortFrom(netip.AddrFrom16(bound.Addr), uint16(bound.Port))
	default:
		c.close()
		return nil, fmt.Errorf("it is bound to %T, no address of UDP", bound)
	}
	if err := c.addWaker(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}
