package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/listen"
)

// patience is how long the other side may take for what it does at once.
const patience = 5 * time.Second

// Server is where successors ask.
type Server struct {
	listener *net.UnixListener
	asked    chan *Peer
}

// Listen waits for successors in dir, in place of whoever did so before.
func Listen(dir string) (*Server, error) {
	// Under a name of its own first: whoever looks for the other finds one that answers.
	name := fmt.Sprintf("%s.%d", socketName, os.Getpid())
	var s *Server
	err := inDir(dir, func(dir string) error {
		own := filepath.Join(dir, name)
		if err := os.Remove(own); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: own, Net: "unixpacket"})
		if err != nil {
			return err
		}
		listener.SetUnlinkOnClose(false) // the file may be another's by then
		s = &Server{listener: listener, asked: make(chan *Peer, 1)}
		return os.Rename(own, filepath.Join(dir, socketName))
	})
	if err != nil {
		if s != nil {
			s.listener.Close()
		}
		return nil, fmt.Errorf("wait for a successor in %s: %w", dir, err)
	}
	go s.accept()
	return s, nil
}

// Asked is where a successor comes out that has said what it wants. It waits for Pass,
// or is closed to go without.
func (s *Server) Asked() <-chan *Peer { return s.asked }

// Close ends waiting. A successor that asks later finds nobody; one that has connected
// learns that when the process ends.
func (s *Server) Close() { s.listener.Close() }

// accept closes asked when the listener is closed.
func (s *Server) accept() {
	defer close(s.asked)
	for {
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			return
		}
		p := newPeer(conn)
		if err := p.hear(); err != nil { // such as one that only looked whether somebody is here
			p.Close()
			continue
		}
		s.asked <- p
		return
	}
}

// inDir calls do with a short path of dir: that of a socket has 107 bytes at most.
func inDir(dir string, do func(dir string) error) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	return do(fmt.Sprintf("/proc/self/fd/%d", fd))
}

// Peer is the process at the other end.
type Peer struct {
	Want Want // of a successor

	conn      *net.UnixConn
	gone      chan struct{}
	dismissed bool // to be read when gone is closed
}

func newPeer(conn *net.UnixConn) *Peer { return &Peer{conn: conn, gone: make(chan struct{})} }

// hear reads what a successor wants.
func (p *Peer) hear() error {
	if err := p.isOurs(); err != nil {
		return err
	}
	if err := p.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	buffer := make([]byte, 64<<10)
	n, err := p.conn.Read(buffer)
	if err != nil {
		return err
	}
	return json.Unmarshal(buffer[:n], &p.Want)
}

// isOurs refuses other users, who could read datagrams by the sockets.
func (p *Peer) isOurs() error {
	raw, err := p.conn.SyscallConn()
	if err != nil {
		return err
	}
	var credentials *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		credentials, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if int(credentials.Uid) != os.Geteuid() {
		return fmt.Errorf("process %d runs as user %d and not %d", credentials.Pid, credentials.Uid, os.Geteuid())
	}
	return nil
}

// Pass gives the successor sockets, which stay open here, too. Where it fails, the
// successor is gone.
func (p *Peer) Pass(sockets []listen.Passed) error {
	if err := p.pass(sockets); err != nil {
		p.conn.Close()
		close(p.gone)
		return err
	}
	return nil
}

func (p *Peer) pass(sockets []listen.Passed) error {
	if err := p.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for i := range sockets {
		if err := p.send(message{Passed: &sockets[i]}, unix.UnixRights(sockets[i].Descriptor)); err != nil {
			return fmt.Errorf("pass the socket of %s: %w", sockets[i].Name, err)
		}
	}
	if err := p.send(message{End: true}, nil); err != nil {
		return err
	}
	return p.watch()
}

func (p *Peer) send(m any, rights []byte) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, _, err = p.conn.WriteMsgUnix(text, rights, nil)
	return err
}

// watch closes gone when the other end is closed. All that may come before is that this
// one is dismissed.
func (p *Peer) watch() error {
	if err := p.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	go func() {
		defer close(p.gone)
		n, _ := io.Copy(io.Discard, p.conn)
		p.dismissed = n > 0
	}()
	return nil
}

// Dismiss tells the one before that it need not stand by any more, and closes the Peer.
func (p *Peer) Dismiss() {
	_ = p.send(message{End: true}, nil) // fails if it has ended
	p.Close()
}

// Dismissed tells, of a successor that is Gone, whether others have the sockets from it,
// so that this process is not to go on.
func (p *Peer) Dismissed() bool { return p.dismissed }

// Gone is closed when the other process has ended, or has closed its Peer.
func (p *Peer) Gone() <-chan struct{} { return p.gone }

// Close ends the connection, which the other process takes for the end of this one.
func (p *Peer) Close() { p.conn.Close() }
