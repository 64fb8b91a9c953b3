package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/listen"
)

// Take asks whoever waits in dir for its sockets, and returns when it has let go of
// all that it had, until ctx ends. Where nobody waits, or the one that does ends
// without an answer, the Peer is nil.
func Take(ctx context.Context, dir string, want Want) (*Peer, []listen.Passed, error) {
	conn, err := dial(dir)
	if conn == nil {
		return nil, nil, err
	}
	p := newPeer(conn)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	sockets, err := p.take(want)
	switch {
	case err == nil:
		return p, sockets, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case len(sockets) == 0 && (errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)):
		err = nil // it was about to end
	}
	p.Close()
	for _, s := range sockets {
		s.Close()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("take over from the process that uses %s: %w", dir, err)
	}
	return nil, nil, nil
}

// dial returns nil where nobody waits.
func dial(dir string) (conn *net.UnixConn, err error) {
	err = inDir(dir, func(short string) error {
		conn, err = net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: filepath.Join(short, socketName), Net: "unixpacket"})
		return err
	})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take over from the process that uses %s: %w", dir, err)
	}
	return conn, nil
}

func (p *Peer) take(want Want) (sockets []listen.Passed, err error) {
	if err := p.isOurs(); err != nil {
		return nil, err
	}
	if err := p.send(want, nil); err != nil {
		return nil, err
	}
	for {
		m, descriptor, err := p.receive()
		switch {
		case err != nil:
			return sockets, err
		case m.End:
			return sockets, p.watch()
		case m.Passed == nil || descriptor < 0:
			return sockets, errors.New("it has sent a message that is no socket")
		}
		m.Descriptor = descriptor
		sockets = append(sockets, *m.Passed)
	}
}

// receive returns a message, and the file that came with it or -1.
func (p *Peer) receive() (m message, descriptor int, err error) {
	text, rights := make([]byte, 4<<10), make([]byte, unix.CmsgSpace(4))
	n, nrights, _, _, err := p.conn.ReadMsgUnix(text, rights)
	if err != nil {
		return m, -1, err
	}
	descriptor = -1
	controls, err := unix.ParseSocketControlMessage(rights[:nrights])
	if err != nil {
		return m, -1, err
	}
	for i := range controls {
		files, err := unix.ParseUnixRights(&controls[i])
		if err != nil {
			return m, -1, err
		}
		descriptor = files[0]
	}
	return m, descriptor, json.Unmarshal(text[:n], &m)
}
