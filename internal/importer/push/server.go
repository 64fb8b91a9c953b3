// Package push takes flow logs that clouds deliver by HTTP - Amazon Data Firehose, Google
// Cloud Pub/Sub - and answers that it has them when Kafka does.
//
// A request goes through the files in this order: server.go limits what a request may take
// (memory.go) and answers; firehose.go and pubsub.go know who may send (keys.go has those
// of Google) and find the records in a body; an [importer.Receiver] has them in Kafka once.
package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/importer"
)

var requestsAnswered = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_import_requests_total",
	Help: "Requests of clouds that push flow logs, by kind of log and what became of them. Only those that are stored, or were before, are not sent again.",
}, []string{"source", "result"})

// result is what became of a request. It is the label of a metric.
type result string

const (
	stored       result = "stored"       // Kafka has its records
	again        result = "again"        // it had come before, and Kafka has its records once
	unauthorized result = "unauthorized" // a wrong key or token, or none
	malformed    result = "malformed"    // not what the documentation of the sender says
	tooLarge     result = "too_large"    // a body larger than senders make them, or that unpacks to more
	busy         result = "busy"         // too many requests wait for Kafka, or for memory
	waiting      result = "waiting"      // Kafka did not have it in time, or the sender went away; it is sent when Kafka is back
	ended        result = "ended"        // the process ends
	noKeys       result = "no_keys"      // the keys that tokens are signed with cannot be had
)

// Endpoint is what kinds of senders differ in.
type Endpoint interface {
	// Authorize returns nil where the request comes from who may send. It does not read
	// the body.
	Authorize(r *http.Request) error
	// Parse finds the records in a body.
	Parse(r *http.Request, body []byte, memory *Memory) (importer.Delivery, error)
	// MaxBody is the largest body in bytes, as it is on the wire and unpacked.
	MaxBody() (wire, unpacked int64)
	// Answer writes the response.
	Answer(w http.ResponseWriter, r *http.Request, status int, message string)
}

// failure is why a request is not taken.
type failure struct {
	status  int
	result  result
	message string // for the sender
}

func (f *failure) Error() string { return f.message }

func fail(status int, result result, format string, args ...any) error {
	return &failure{status, result, fmt.Sprintf(format, args...)}
}

// Server takes requests.
type Server struct {
	Source   string // as metrics have it
	Endpoint Endpoint
	Receiver *importer.Receiver
	Memory   *Memory       // for what waits
	Patience time.Duration // how long a request waits for Kafka; default 150 s: Firehose gives up after 180

	warned atomic.Int64 // when the log last told of a request that was not taken
}

// maxHeader is the most bytes of headers; a key of Firehose has up to 4096.
const maxHeader = 32 << 10

// Serve answers on the listener until ctx ends or sending fails. Then it takes no further
// requests, and those that wait for Kafka have grace to get their answer.
func (s *Server) Serve(ctx context.Context, listener net.Listener, grace time.Duration) (*importer.Report, error) {
	server := &http.Server{
		Handler: s, MaxHeaderBytes: maxHeader, IdleTimeout: 5 * time.Minute,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
	case <-s.Receiver.Failed():
		err = s.Receiver.Err()
	case err = <-served:
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	shut := make(chan struct{})
	go func() {
		defer close(shut)
		if server.Shutdown(last) != nil {
			server.Close()
		}
	}()
	report := s.Receiver.Close(last) // answers those that wait
	<-shut
	return report, err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got, err := s.take(w, r)
	if err == nil {
		requestsAnswered.WithLabelValues(s.Source, string(got)).Inc()
		s.Endpoint.Answer(w, r, http.StatusOK, "")
		return
	}
	f := explain(err)
	requestsAnswered.WithLabelValues(s.Source, string(f.result)).Inc()
	s.warn(r, f)
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	s.Endpoint.Answer(w, r, f.status, f.message)
}

// explain says what to answer after an error.
func explain(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, importer.ErrBusy):
		return &failure{http.StatusServiceUnavailable, busy, err.Error()}
	case errors.Is(err, importer.ErrEnded):
		return &failure{http.StatusServiceUnavailable, ended, err.Error()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &failure{http.StatusServiceUnavailable, waiting, "Kafka does not have the records yet: send them again"}
	}
	return &failure{http.StatusInternalServerError, ended, "the records could not be stored; the log of netmeta import says why"}
}

// take has the records of a request in Kafka.
func (s *Server) take(w http.ResponseWriter, r *http.Request) (result, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return "", fail(http.StatusMethodNotAllowed, malformed, "only POST is taken")
	}
	if err := s.Endpoint.Authorize(r); err != nil {
		return "", err
	}
	held := s.Memory.share()
	body, err := s.read(w, r, held)
	var d importer.Delivery
	if err == nil {
		d, err = s.Endpoint.Parse(r, body, held)
	}
	if err != nil {
		held.give()
		return "", err
	}
	d.Done = held.give
	patience := s.Patience
	if patience == 0 {
		patience = 150 * time.Second
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	before, err := s.Receiver.Take(ctx, d)
	if before {
		return again, err
	}
	return stored, err
}

// warnInterval is how often the log tells of requests that are not taken.
const warnInterval = time.Minute

func (s *Server) warn(r *http.Request, f *failure) {
	now := time.Now().UnixNano()
	if last := s.warned.Load(); now-last < int64(warnInterval) || !s.warned.CompareAndSwap(last, now) {
		return
	}
	slog.Warn("import: a request is not taken; for a minute, further ones are only counted", "from", r.RemoteAddr, "status", f.status, "reason", string(f.result), "error", f.message)
}
