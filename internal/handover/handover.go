// Package handover has one process take over the sockets and the state of another, so
// that a new version takes the place of an old one without a datagram being lost.
//
// Both work in the same directory. The running process waits there for a successor
// (Listen, Accept). When one asks (Take), it ends receiving, brings what it has received
// to where it goes, lets go of its files, and only then passes its sockets (Pass), in
// whose buffers datagrams wait meanwhile.
//
// After that it stands by, with the sockets still open, as long as the connection
// lasts: if the successor ends, it can go on where that has left off (Gone), unless a
// third one has the sockets by then (Dismiss). The successor, for its part, is told when
// the one before it has ended.
package handover

import "github.com/leoluk/NetMeta/internal/listen"

// socketName is the file in the directory at which a process waits for its successor.
const socketName = "handover.sock"

// Want is what a successor says about itself.
type Want struct {
	// Namespace is its network, as listen.Namespace tells it.
	Namespace string `json:"namespace"`
	// Addresses are what it is going to listen on, by the name of the listener. Sockets of
	// other addresses in its network would be in its way.
	Addresses map[string]string `json:"addresses"`
}

// Keeps tells whether the successor reads on a socket of a listener of this process, in
// place of one of its own or, from another network, besides.
func (w Want) Keeps(name, address, namespace string) bool {
	return namespace != w.Namespace || w.Addresses[name] == address
}

// message is what the predecessor sends: a socket, with the file itself beside, or that
// there are no more. A successor sends the latter to dismiss it.
type message struct {
	*listen.Passed
	End bool `json:"end,omitempty"`
}
