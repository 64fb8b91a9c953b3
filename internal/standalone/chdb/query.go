package chdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Query is one statement and how to run it.
type Query struct {
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
	// beyond its tables, with CodeReadonly.
	ReadOnly bool
}

// Result is the output of a query. It must be closed.
type Result struct {
	session *session
	stream  unsafe.Pointer // nil when chunk is all there is
	chunk   []byte
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
var streamed = regexp.MustCompile(`(?i)^[\s(]*(SELECT|WITH|FROM|VALUES)\b`)

// Query runs q and returns when its first block is there, so that most errors
// are returned here and not by Result.Read. Cancelling ctx, also later while the
// result is read, kills the query in the engine. Errors are of type *Error if
// they are ClickHouse's, else ctx.Err().
//
// Every query gets a connection of its own, which costs less than a millisecond:
// what SET, USE or a temporary table left behind cannot reach anybody else.
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
	r, err := s.start(ctx, q)
	if err != nil {
		s.close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return r, nil
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
	r.session.close()
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
	r.chunk = lib.bytes(result)
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

// session is one connection to the engine, used by one query.
type session struct {
	engine     *Engine
	connection unsafe.Pointer
	mark       string // finds the query in system.processes
	ctx        context.Context
	done       chan struct{}
	watched    chan struct{}
	leave      func()
}

func (e *Engine) newSession(leave func()) (*session, error) {
	connection, err := e.lib.open(e.args)
	if err != nil {
		return nil, err
	}
	return &session{engine: e, connection: connection, mark: "netmeta-" + rand.Text(), leave: leave}, nil
}

func (s *session) handle() unsafe.Pointer { return *(*unsafe.Pointer)(s.connection) }

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
	r := &Result{session: s, started: time.Now()}
	lib := s.engine.lib
	if streamed.Match(q.SQL) {
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

// configure applies database and settings to the fresh connection. Read-only
// comes last, because nothing can be set after it that a person did not ask for.
func (s *session) configure(q Query) error {
	var changes []string
	readonly := "2"
	for _, name := range sortedKeys(q.Settings) {
		if !settingName.MatchString(name) {
			return &Error{Code: 115, Message: fmt.Sprintf("Unknown setting %q. (UNKNOWN_SETTING)", name)}
		}
		if name == "readonly" && q.ReadOnly {
			if q.Settings[name] != "1" && q.Settings[name] != "2" {
				return &Error{Code: CodeReadonly, Message: "Cannot modify 'readonly' setting in readonly mode. (READONLY)"}
			}
			readonly = q.Settings[name]
			continue
		}
		changes = append(changes, name+" = "+quote(q.Settings[name]))
	}
	if q.Database != "" {
		if err := s.run("USE `" + identifierEscaper.Replace(q.Database) + "`"); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		if err := s.run("SET " + strings.Join(changes, ", ")); err != nil {
			return err
		}
	}
	// implicit_select is a habit of the embedded engine that a server does not have.
	own := "SET implicit_select = 0, log_comment = " + quote(s.mark)
	if q.ReadOnly {
		own += ", readonly = " + readonly
	}
	return s.run(own)
}

// run executes a statement that has no output.
func (s *session) run(sql string) error {
	lib := s.engine.lib
	result := lib.run(lib.query, s.connection, []byte(sql), "Null", nil)
	defer lib.resultFree(result)
	return lib.failure(result)
}

// watch kills the query when ctx or the engine ends before the session does.
// It tries again until then: the first attempt may come before the query is
// registered.
func (s *session) watch(ctx context.Context) {
	s.ctx, s.done, s.watched = ctx, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(s.watched)
		select {
		case <-s.done:
			return
		case <-ctx.Done():
		case <-s.engine.stop.Done():
		}
		retry := time.NewTicker(50 * time.Millisecond)
		defer retry.Stop()
		for {
			// An error leaves nothing to do but to try again.
			_, _ = s.engine.askKeeper("KILL QUERY WHERE Settings['log_comment'] = " + quote(s.mark) + " ASYNC")
			select {
			case <-s.done:
				return
			case <-retry.C:
			}
		}
	}()
}

// explain turns the error of a query that was killed into the reason for it.
func (s *session) explain(err error) error {
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if s.engine.stop.Err() != nil {
		return errClosed
	}
	return err
}

func (s *session) close() {
	if s.done != nil {
		close(s.done)
		<-s.watched
	}
	s.engine.lib.closeConn(s.connection)
	s.leave()
}

var (
	literalEscaper    = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	identifierEscaper = strings.NewReplacer(`\`, `\\`, "`", "\\`")
)

// quote writes text as a string literal of SQL.
func quote(text string) string { return "'" + literalEscaper.Replace(text) + "'" }

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
