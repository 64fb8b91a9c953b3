package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Serve answers on address:
//
//	GET /metrics   all metrics, in Prometheus's text form
//	GET /healthz   200 while all live checks hold, else 503
//	GET /readyz    200 while all checks hold, else 503
//
// The last two tell in JSON what each check found, and since when; a HEAD request gets
// the status alone. An empty address serves nothing. The server's Addr is what it is
// bound to. The caller closes it, which also ends the checks.
func Serve(address string, checks ...Check) (*http.Server, error) {
	all := newHealth(checks)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.Handle("GET /healthz", all.live())
	mux.Handle("GET /readyz", all)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if address == "" {
		return server, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics on %s: %w", address, err)
	}
	server.Addr = listener.Addr().String()
	slog.Info("metrics: serving", "url", "http://"+listener.Addr().String()+"/metrics")
	watching, stop := context.WithCancel(context.Background())
	go all.watch(watching)
	go func() {
		defer stop()
		server.Serve(listener)
	}()
	return server, nil
}
