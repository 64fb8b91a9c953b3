//go:build !linux

package handover

import (
	"context"
	"errors"

	"github.com/leoluk/NetMeta/internal/listen"
)

var errSystem = errors.New("sockets can be handed over on Linux only")

// Server is where successors would ask.
type Server struct{}

// Listen fails.
func Listen(string) (*Server, error) { return nil, errSystem }

// Asked never has any.
func (s *Server) Asked() <-chan *Peer { return nil }

// Close does nothing.
func (s *Server) Close() {}

// Peer is the process at the other end, of which there is none.
type Peer struct{ Want Want }

// Pass fails.
func (p *Peer) Pass([]listen.Passed) error { return errSystem }

// Gone is never closed.
func (p *Peer) Gone() <-chan struct{} { return nil }

// Dismiss does nothing.
func (p *Peer) Dismiss() {}

// Dismissed is false.
func (p *Peer) Dismissed() bool { return false }

// Close does nothing.
func (p *Peer) Close() {}

// Take fails.
func Take(context.Context, string, Want) (*Peer, []listen.Passed, error) {
	return nil, nil, errSystem
}
