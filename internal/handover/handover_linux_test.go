package handover_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/handover"
	"github.com/leoluk/NetMeta/internal/listen"
)

var want = handover.Want{Namespace: "net:[1]", Addresses: map[string]string{"netflow": ":2055"}}

// wait fails if c is not closed soon.
func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited 20 s for %s", what)
	}
}

func serve(t *testing.T, dir string) *handover.Server {
	t.Helper()
	s, err := handover.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// taken is what Take returns.
type taken struct {
	peer    *handover.Peer
	sockets []listen.Passed
	err     error
}

func take(ctx context.Context, dir string) <-chan taken {
	done := make(chan taken, 1)
	go func() {
		peer, sockets, err := handover.Take(ctx, dir, want)
		done <- taken{peer, sockets, err}
	}()
	return done
}

func TestSocketsArriveInOnePiece(t *testing.T) {
	// A path that is longer than those of sockets may be.
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server := serve(t, dir)
	var handled atomic.Int32
	options := listen.Options{Sockets: 2, Buffer: 1 << 20}
	handler := func() listen.Handler {
		return func([]byte, netip.AddrPort, time.Time) { handled.Add(1) }
	}
	l, err := listen.Start("handed over", "127.0.0.1:0", options, handler)
	if err != nil {
		t.Fatal(err)
	}
	exporter, err := net.Dial("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer exporter.Close()

	done := take(t.Context(), dir)
	next := <-server.Asked()
	if next.Want.Namespace != want.Namespace || next.Want.Addresses["netflow"] != ":2055" {
		t.Errorf("the successor is said to want %+v", next.Want)
	}
	kept := l.Pause()
	if _, err := exporter.Write([]byte("meanwhile")); err != nil {
		t.Fatal(err)
	}
	if err := next.Pass(kept); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || len(got.sockets) != 2 || got.sockets[0].Name != "handed over" || got.sockets[0].Address != "127.0.0.1:0" || got.sockets[0].Namespace != listen.Namespace() {
		t.Fatalf("%+v were taken, %v", got.sockets, got.err)
	}
	for _, s := range kept {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	l, err = listen.Resume(got.sockets, options, handler)
	if err != nil {
		t.Fatal(err)
	}
	l.Stop()
	if handled.Load() != 1 {
		t.Errorf("%d datagrams were handled, want the one that arrived meanwhile", handled.Load())
	}

	got.peer.Close()
	wait(t, "the first to see the end of the second", next.Gone())
}

func TestSuccessorSeesTheEndOfTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	server := serve(t, dir)
	done := take(t.Context(), dir)
	next := <-server.Asked()
	if err := next.Pass(nil); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	next.Close()
	wait(t, "the second to see the end of the first", got.peer.Gone())
}

func TestNobodyIsTakenOverFrom(t *testing.T) {
	for _, c := range []struct {
		promise string
		prepare func(t *testing.T, dir string)
	}{
		{"there never was anybody", func(*testing.T, string) {}},
		{"the process was killed, and has left its file", func(t *testing.T, dir string) { serve(t, dir).Close() }},
		{"the process ends while it is asked", func(t *testing.T, dir string) {
			server := serve(t, dir)
			go func() { (<-server.Asked()).Close() }()
		}},
	} {
		t.Run(c.promise, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			if got := <-take(t.Context(), dir); got.peer != nil || got.err != nil {
				t.Errorf("got %+v, want nobody and no error", got)
			}
		})
	}
}

func TestTakeEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	server := serve(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	done := take(ctx, dir)
	<-server.Asked() // which never answers
	cancel()
	if got := <-done; got.err == nil || !strings.Contains(got.err.Error(), "take over from the process that uses "+dir) {
		t.Errorf("got %v", got.err)
	}
}

func TestTheOneBeforeIsToldThatAThirdHasTheSockets(t *testing.T) {
	for _, dismissed := range []bool{true, false} {
		dir := t.TempDir()
		server := serve(t, dir)
		done := take(t.Context(), dir)
		next := <-server.Asked()
		if err := next.Pass(nil); err != nil {
			t.Fatal(err)
		}
		before := (<-done).peer
		if dismissed {
			before.Dismiss()
		} else {
			before.Close()
		}
		wait(t, "the first to see the end of the second", next.Gone())
		if next.Dismissed() != dismissed {
			t.Errorf("the first is said to be dismissed: %v, want %v", next.Dismissed(), dismissed)
		}
	}
}

func TestConnectionWithoutARequestIsNone(t *testing.T) {
	dir := t.TempDir()
	server := serve(t, dir)
	conn, err := net.Dial("unixpacket", filepath.Join(dir, "handover.sock"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	done := take(t.Context(), dir)
	next := <-server.Asked()
	if err := next.Pass(nil); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.err != nil || got.peer == nil {
		t.Errorf("got %+v", got)
	}
}

func TestWhatASuccessorKeeps(t *testing.T) {
	for _, c := range []struct {
		promise                  string
		name, address, namespace string
		keeps                    bool
	}{
		{"the same address", "netflow", ":2055", "net:[1]", true},
		{"another address, which would be in its way", "netflow", ":9995", "net:[1]", false},
		{"a listener that it has not", "sflow", ":6343", "net:[1]", false},
		{"any of another network", "sflow", ":6343", "net:[2]", true},
	} {
		if got := want.Keeps(c.name, c.address, c.namespace); got != c.keeps {
			t.Errorf("%s: %v", c.promise, got)
		}
	}
}
