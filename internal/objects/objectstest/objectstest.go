// Package objectstest runs an S3-compatible server in tests, and breaks what it answers.
package objectstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the one that a server has.
const Bucket = "logs"

// Server is a server with one bucket in memory.
type Server struct {
	URL   string
	tb    testing.TB
	store *s3mem.Backend
	clock *clock
	fault atomic.Pointer[Fault]

	Lists, Gets atomic.Int64 // requests that came
}

// Fault answers a request in the place of the server, or with its handler. A fault that
// is nil does nothing.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) Now() time.Time {
	if now := c.now.Load(); now != nil {
		return *now
	}
	return time.Now()
}
func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// New starts a server. Clients need credentials, though it takes any: it sets them.
func New(t *testing.T) *Server {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_REGION", "us-east-1")
	s := &Server{tb: t, clock: &clock{}}
	s.store = s3mem.New(s3mem.WithTimeSource(s.clock))
	if err := s.store.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	genuine := gofakes3.New(s.store, gofakes3.WithTimeSkewLimit(0), gofakes3.WithoutVersioning(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Has("list-type"):
			s.Lists.Add(1)
		case r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") > 1:
			s.Gets.Add(1)
		}
		if fault := s.fault.Load(); fault != nil && *fault != nil {
			(*fault)(w, r, genuine)
			return
		}
		genuine.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// At has objects that are put from now on be written then.
func (s *Server) At(moment time.Time) { s.clock.now.Store(&moment) }

// Fail has a fault answer from now on.
func (s *Server) Fail(f Fault) { s.fault.Store(&f) }

// Put stores an object.
func (s *Server) Put(key, content string) {
	s.tb.Helper()
	meta := map[string]string{"Last-Modified": s.clock.Now().UTC().Format(http.TimeFormat)}
	if _, err := s.store.PutObject(Bucket, key, meta, strings.NewReader(content), int64(len(content)), nil); err != nil {
		s.tb.Fatal(err)
	}
}

// Delete removes an object.
func (s *Server) Delete(key string) {
	s.tb.Helper()
	if _, err := s.store.DeleteObject(Bucket, key); err != nil {
		s.tb.Fatal(err)
	}
}

// Refuse is the fault of a store that answers with this error.
func Refuse(status int, code string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as the store says it</Message></Error>", code)
	}
}

// Cut is the fault of a network that breaks after so many bytes of each answer with an
// object.
func Cut(after int) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Count(r.URL.Path, "/") < 2 {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&cutter{w, after}, r)
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
