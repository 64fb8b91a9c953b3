package risinfo

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// Handler answers
//
//	GET /rib.tsv       the routing table: prefix, tab, AS number
//	GET /autnums.tsv   the names: AS number, tab, name, tab, country
//	GET /-/ready       200 when there are tables, else 503
//	GET /metrics       metrics, in Prometheus's text form
//
// IPv4 prefixes are written as ::ffff:a.b.c.d/(96 + length). Tables answer 503 as long as
// there are none, and conditional requests with 304.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /rib.tsv", func(w http.ResponseWriter, r *http.Request) {
		serveTable(w, r, s.Routes(), route.WriteTSV)
	})
	mux.HandleFunc("GET /autnums.tsv", func(w http.ResponseWriter, r *http.Request) {
		serveTable(w, r, s.Names(), names.WriteTSV)
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.Handler())
	return mux
}

func serveTable[Row any](w http.ResponseWriter, r *http.Request, table *Table[Row], write func(io.Writer, []Row) error) {
	if table == nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "there is no table yet", http.StatusServiceUnavailable)
		return
	}
	built := table.Built.UTC().Truncate(time.Second)
	w.Header().Set("Last-Modified", built.Format(http.TimeFormat))
	w.Header().Set("Content-Type", "text/tab-separated-values; charset=utf-8")
	w.Header().Set("Vary", "Accept-Encoding")
	if since, err := http.ParseTime(r.Header.Get("If-Modified-Since")); err == nil && !built.After(since) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	// Who goes away meanwhile gets no more; nobody is left to tell.
	if r.Header.Get("Accept-Encoding") == "gzip" {
		w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		defer zipped.Close()
		write(zipped, table.Rows)
		return
	}
	write(w, table.Rows)
}
