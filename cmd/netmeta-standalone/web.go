package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/leoluk/NetMeta/internal/console/access"
)

func listenTCP(what, flag, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s on %s (choose another address with --%s): %w", what, address, flag, err)
	}
	return listener, nil
}

// access is who may use the console, by the flags. It is an error if nobody says so
// and other machines can reach it.
func (c config) access(ctx context.Context) (a access.Config, err error) {
	if c.passwordFile != "" {
		if a.Password, err = access.ReadPassword(c.passwordFile); err != nil {
			return a, fmt.Errorf("--console-password-file: %w", err)
		}
	}
	a.Header = c.trustedHeader
	if a.Proxies, err = access.ParseProxies(c.trustedProxies); err != nil {
		return a, fmt.Errorf("--console-trusted-proxies: %w", err)
	}
	return a, a.Check(ctx, c.console)
}

// serve answers HTTP requests on listener until the program stops.
func (s *standalone) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	s.onStop(func() {
		// Long-running queries are cut off: the engine cancels them when it closes.
		shutdown, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(shutdown) != nil {
			server.Close()
		}
	})
	go server.Serve(listener)
}

// stage is what the console's address answers: first only how far the start has
// come, then the console.
type stage struct{ handler atomic.Pointer[http.Handler] }

func (s *stage) set(handler http.Handler) { s.handler.Store(&handler) }

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*s.handler.Load()).ServeHTTP(w, r)
}

// starting answers every request with 503 and tries again by itself in a browser.
func starting(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Refresh", "1")
	http.Error(w, "not ready: NetMeta is starting", http.StatusServiceUnavailable)
}
