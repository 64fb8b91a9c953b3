package metrics

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Serve answers GET /metrics on address in Prometheus's text form. An empty
// address serves nothing. The server's Addr is what it is bound to. The caller closes
// it.
func Serve(address string) (*http.Server, error) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
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
	go server.Serve(listener)
	return server, nil
}
