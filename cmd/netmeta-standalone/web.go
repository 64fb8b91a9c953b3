package main

import (
	"net/http"
	"sync/atomic"
)

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
