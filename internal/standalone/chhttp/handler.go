// Package chhttp serves ClickHouse's HTTP interface for the embedded engine, so
// that clickhouse-go, golang-migrate, Grafana, DBeaver and curl need not know
// that there is no server.
//
// It differs from the server's in that no user or password is checked, sessions
// are not kept, and external tables are refused.
package chhttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/leoluk/NetMeta/internal/origin"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// Options say what a handler serves.
type Options struct {
	// ReadOnly refuses whatever changes or leaves the database, also by POST; GET
	// never changes anything. Set it for every handler that people can reach.
	ReadOnly bool
	// Settings are ClickHouse settings that hold unless a request names them itself,
	// for example max_execution_time, so that a forgotten query ends.
	Settings map[string]string
	// MaxBody limits a request's body in bytes, default 16 MiB.
	MaxBody int64
}

// New returns a handler for "/", "/ping" and "/replicas_status" of engine.
func New(engine *chdb.Engine, options Options) http.Handler {
	if options.MaxBody <= 0 {
		options.MaxBody = 16 << 20
	}
	h := &handler{engine: engine, options: options}
	if h.host, _ = os.Hostname(); h.host == "" {
		h.host = "localhost"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ping", ok)
	mux.HandleFunc("/replicas_status", ok)
	mux.HandleFunc("/{$}", h.root)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprintf("There is nothing at %s. Queries go to /, health checks to /ping.", r.URL.Path), http.StatusNotFound)
	})
	return origin.Guard(mux)
}

type handler struct {
	engine  *chdb.Engine
	options Options
	host    string
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = io.WriteString(w, "Ok.\n")
}

func (h *handler) root(w http.ResponseWriter, r *http.Request) {
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case reading && r.URL.RawQuery == "":
		ok(w, r)
		return
	case !reading && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "method "+r.Method+" is not served, use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-ClickHouse-Server-Display-Name", h.host)
	q, err := parseRequest(r, h.options.MaxBody)
	if err != nil {
		h.fail(w, err)
		return
	}
	for name, value := range h.options.Settings {
		if _, named := q.query.Settings[name]; !named {
			q.query.Settings[name] = value
		}
	}
	q.query.ReadOnly = h.options.ReadOnly || reading
	w.Header().Set("X-ClickHouse-Query-Id", q.id)
	result, err := h.engine.Query(r.Context(), q.query)
	if err != nil {
		h.fail(w, err)
		return
	}
	defer result.Close()
	h.respond(w, q, result)
}

// respond sends the result of a query whose first block is there.
func (h *handler) respond(w http.ResponseWriter, q *request, result *chdb.Result) {
	var source io.Reader = result
	if q.wait {
		whole, err := readWhole(result)
		if err != nil {
			h.fail(w, err)
			return
		}
		source = bytes.NewReader(whole)
	}
	out, err := newOutput(w, q)
	if err != nil {
		h.fail(w, err)
		return
	}
	tag := newTag()
	header := w.Header()
	header.Set("Content-Type", contentType(q.format))
	header.Set("X-ClickHouse-Format", q.format)
	header.Set("X-ClickHouse-Timezone", h.engine.Timezone())
	header.Set("X-ClickHouse-Exception-Tag", tag)
	header.Set("X-ClickHouse-Summary", summary(result.Stats()))
	if q.format == "Native" && q.revision > 0 {
		err = reencode(out, source, q.revision, serverContext(h.engine.Version()))
	} else {
		_, err = io.CopyBuffer(writerOnly{out}, readerOnly{source}, make([]byte, 1<<20))
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		slog.Debug("send the result of a query", "query_id", q.id, "err", err)
		out.fail(h.text(err), tag)
	}
}

// maxWhole is how much of a result is kept for wait_end_of_query, in bytes.
const maxWhole = 64 << 20

func readWhole(result io.Reader) ([]byte, error) {
	whole, err := io.ReadAll(io.LimitReader(result, maxWhole+1))
	if err == nil && len(whole) > maxWhole {
		err = &chdb.Error{Code: codeTooManyBytes, Message: fmt.Sprintf(
			"Limit for result exceeded: wait_end_of_query=1 holds %d bytes at the most, without it results are streamed. (TOO_MANY_ROWS_OR_BYTES)", maxWhole)}
	}
	return whole, err
}

// fail answers with an exception, nothing of the body having been sent.
func (h *handler) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		// The client is gone and reads nothing any more.
		panic(http.ErrAbortHandler)
	}
	code := codeOf(err)
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	header.Del("Content-Encoding")
	header.Set("X-ClickHouse-Exception-Code", fmt.Sprint(code))
	w.WriteHeader(statusOf(code))
	_, _ = io.WriteString(w, h.text(err)+"\n")
}

// text writes err the way the server does, with its version.
func (h *handler) text(err error) string {
	var exception *chdb.Error
	if !errors.As(err, &exception) {
		exception = &chdb.Error{Code: codeOf(err), Message: err.Error() + ". (STD_EXCEPTION)"}
	}
	return exception.Error() + " (version " + h.engine.Version() + ")"
}

// summary writes statistics as the X-ClickHouse-Summary header. They are those
// of the moment when the first block was ready, as the server's are.
func summary(s chdb.Stats) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"0","written_bytes":"0","total_rows_to_read":"0","result_rows":"%d","result_bytes":"0","elapsed_ns":"%d"}`,
		s.ReadRows, s.ReadBytes, s.ResultRows, s.Elapsed.Nanoseconds())
}

// readerOnly and writerOnly keep io.CopyBuffer from looking for a shortcut, so
// that a block of the engine becomes a write and not many.
type (
	readerOnly struct{ io.Reader }
	writerOnly struct{ io.Writer }
)
