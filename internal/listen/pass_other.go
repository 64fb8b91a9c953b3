//go:build !linux

package listen

import "errors"

// Passed is a socket that one process leaves to another, which only Linux can.
type Passed struct {
	Name, Address, Namespace string
	Drops                    uint32
	Descriptor               int
}

// Close does nothing: there are none here.
func (p Passed) Close() error { return nil }

// Recount does nothing.
func (p *Passed) Recount() error { return nil }

// Namespace tells the networks of processes apart. Here all have the same.
func Namespace() string { return "" }

// Pause ends listening, and returns nothing that could be resumed.
func (l *Listener) Pause() []Passed {
	l.Stop()
	return nil
}

// Resume fails.
func Resume([]Passed, Options, func() Handler) (*Listener, error) {
	return nil, errors.New("sockets of another process can be read on Linux only")
}
