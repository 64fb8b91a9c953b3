package chdb

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	queries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_engine_queries_total",
		Help: "Queries that the embedded engine has answered, by access (read, write) and result (ok, failed, refused, cancelled).",
	}, []string{"access", "result"})
	queriesRunning = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_engine_queries_running",
		Help: "Queries that the embedded engine is working on.",
	})
)

// Query is one statement and how to run it.
type Query struct {
	// ID is what the client calls the query. libchdb gives query ids itself; this one
	// ends the setting log_comment of the query in system.processes. It may be empty.
	ID string
	// SQL is the statement; for an INSERT the data follows it, as over HTTP.
	SQL []byte
	// Database is where unqualified names are looked up, "default" if empty.
	Database string
	// Format is used when the statement has no FORMAT clause, TabSeparated if empty.
	Format string
	// Settings hold for this query only.
	Settings map[string]string
	// Params are the values of {name:Type} placeholders, in text form.
	Params map[string]string
	// ReadOnly refuses everything that could change the engine's state or reach
	// beyond its tables, with CodeReadonly, and limits time (60 s, or what Settings
	// says up to 600 s), memory, rows read, threads and temporary files.
	ReadOnly bool
}

// Result is the output of a query. It must be closed.
type Result struct {
	session *session
	stream  unsafe.Pointer // nil when chunk is all there is
	chunk   []byte
	header  header
	err     error
	stats   Stats
	started time.Time
}

// Stats tells what a query has read so far.
type Stats struct {
	// ReadRows and ReadBytes count what came out of tables; ResultRows what went out.
	ReadRows, ReadBytes, ResultRows uint64
	Elapsed                         time.Duration
}

// streamed are the statements whose output libchdb can hand out in pieces.
var streamed = regexp.MustCompile(`(?is)^(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*(SELECT|WITH|FROM|VALUES)\b`)

// Query runs q and returns when its first block is there, so that most errors
// are returned here and not by Result.Read. Cancelling ctx, also later while the
// result is read, kills the query in the engine. Errors are of type *Error if
// they are ClickHouse's, else ctx.Err().
//
// Every query gets a connection of its own, so that what SET, USE or a temporary
// table left behind cannot reach anybody else; SELECT 1 takes 2 ms, all told.
func (e *Engine) Query(ctx context.Context, q Query) (*Result, error) {
	leave, err := e.enter(ctx, q.ReadOnly)
	if err != nil {
		return nil, err
	}
	s, err := e.newSession(leave)
	if err != nil {
		leave()
		return nil, err
	}
	s.mark += " " + q.ID
	queriesRunning.Inc()
	if s.access = "write"; q.ReadOnly {
		s.access = "read"
	}
	r, err := s.start(ctx, q)
	if err != nil {
		s.finish(err)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return r, nil
}

// start runs q on a fresh session.
func (s *session) start(ctx context.Context, q Query) (*Result, error) {
	if err := s.configure(q); err != nil {
		return nil, err
	}
	if err := s.permit(q); err != nil {
		return nil, err
	}
	if q.Format == "" {
		q.Format = "TabSeparated"
	}
	s.watch(ctx)
	lib := s.engine.lib
	format, certain := q.OutputFormat()
	lines, inPieces := headerLines[format]
	r := &Result{session: s, header: newHeader(format, lines), started: time.Now()}
	if streamed.Match(q.SQL) && inPieces && certain {
		stream := lib.run(lib.streamQuery, s.connection, q.SQL, q.Format, q.Params)
		err := lib.failure(stream)
		if err == nil {
			r.stream = stream
			if r.fetch(); r.err != nil && r.err != io.EOF {
				return nil, r.abandon()
			}
			return r, nil
		}
		lib.resultFree(stream)
		if !strings.HasPrefix(err.(*Error).Message, "Streaming query is not supported") {
			return nil, s.explain(err)
		}
	}
	result := lib.run(lib.query, s.connection, q.SQL, q.Format, q.Params)
	defer lib.resultFree(result)
	if err := lib.failure(result); err != nil {
		return nil, s.explain(err)
	}
	r.chunk = lib.bytes(result)
	r.count(result, lib.resultRows(result))
	return r, nil
}

// abandon frees the stream of a result that never gets to the caller.
func (r *Result) abandon() error {
	r.session.engine.lib.resultFree(r.stream)
	return r.err
}

// Exec runs a read-write statement and discards its output.
func (e *Engine) Exec(ctx context.Context, sql string) error {
	r, err := e.Query(ctx, Query{SQL: []byte(sql)})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// Read implements io.Reader. What it returns is whole blocks of the format only
// if p is large enough; it never waits for a second block to fill p.
func (r *Result) Read(p []byte) (int, error) {
	for len(r.chunk) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fetch()
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// Stats returns what is known so far; it is complete when Read has returned io.EOF.
func (r *Result) Stats() Stats {
	s := r.stats
	s.Elapsed = time.Since(r.started)
	return s
}

// Close stops the query if it still runs. It may be called more than once.
func (r *Result) Close() error {
	if r.session == nil {
		return nil
	}
	if r.stream != nil {
		if r.err == nil {
			r.session.engine.lib.streamStop(r.session.handle(), r.stream)
		}
		r.session.engine.lib.resultFree(r.stream)
	}
	r.session.finish(r.err)
	r.session, r.stream, r.chunk = nil, nil, nil
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
	return nil
}

// fetch gets the next block of a stream into r.chunk, or sets r.err.
func (r *Result) fetch() {
	if r.stream == nil {
		r.err = io.EOF
		return
	}
	lib := r.session.engine.lib
	result := lib.streamFetch(r.session.handle(), r.stream)
	defer lib.resultFree(result)
	if err := lib.failure(result); err != nil {
		r.err = r.session.explain(err)
		return
	}
	r.chunk = r.header.strip(lib.bytes(result))
	rows := lib.resultRows(result)
	r.count(result, rows)
	if rows == 0 {
		// The last piece has no rows but may have a footer, as JSON's.
		r.err = io.EOF
	}
}

func (r *Result) count(result unsafe.Pointer, rows uint64) {
	lib := r.session.engine.lib
	r.stats.ResultRows += rows
	r.stats.ReadRows += lib.resultStorageRows(result)
	r.stats.ReadBytes += lib.resultStorageBytes(result)
}

// outcome is the label of a query that ended with err.
func outcome(err error) string {
	var exception *Error
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return "ok"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), err == errClosed:
		return "cancelled"
	case errors.As(err, &exception) && (exception.Code == CodeReadonly || exception.Code == codeAccessDenied):
		return "refused"
	}
	return "failed"
}
