package chhttp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// OpenInternal returns a read-write client of engine for this process's own use:
// migrations and the like. It is clickhouse-go as everywhere else, over an
// in-memory listener instead of a port. Closing it does not close the engine.
func OpenInternal(engine *chdb.Engine) *sql.DB {
	listener := newMemoryListener()
	server := &http.Server{
		Handler:           New(engine, Options{MaxBody: 256 << 20}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("serve the internal ClickHouse client", "err", err)
		}
	}()
	connector := clickhouse.Connector(&clickhouse.Options{
		Addr:        []string{"engine.internal:8123"},
		Protocol:    clickhouse.HTTP,
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) { return listener.dial(ctx) },
		// Migrations and a first query on a cold table take their time.
		ReadTimeout: 10 * time.Minute,
	})
	return sql.OpenDB(closingConnector{Connector: connector, stop: server.Close})
}

// closingConnector stops the server when the sql.DB is closed.
type closingConnector struct {
	driver.Connector
	stop func() error
}

// Close implements io.Closer, which sql.DB.Close looks for.
func (c closingConnector) Close() error { return c.stop() }

// memoryListener is a net.Listener whose connections are pipes.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "engine.internal:8123" }
