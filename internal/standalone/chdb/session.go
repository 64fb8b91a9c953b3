package chdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// session is one connection to the engine, used by one query.
type session struct {
	engine     *Engine
	connection unsafe.Pointer
	mark       string // finds the query in system.processes
	ctx        context.Context
	done       chan struct{}
	watched    chan struct{}
	leave      func()
	access     string // label of the metrics
}

func (e *Engine) newSession(leave func()) (*session, error) {
	connection, err := e.lib.open(e.args)
	if err != nil {
		return nil, err
	}
	return &session{engine: e, connection: connection, mark: "netmeta-" + rand.Text(), leave: leave}, nil
}

func (s *session) handle() unsafe.Pointer { return *(*unsafe.Pointer)(s.connection) }

// configure applies database and settings to the fresh connection. Read-only
// comes last, because nothing can be set after it that a person did not ask for.
func (s *session) configure(q Query) error {
	var changes []string
	readonly := "2"
	for _, name := range slices.Sorted(maps.Keys(q.Settings)) {
		if !settingName.MatchString(name) {
			return &Error{Code: codeUnknownSetting, Message: fmt.Sprintf("Unknown setting %q. (UNKNOWN_SETTING)", name)}
		}
		if name == "profile" && q.ReadOnly {
			return &Error{Code: CodeReadonly, Message: "Cannot modify 'profile' setting in readonly mode: it holds the limits. (READONLY)"}
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
	if q.ReadOnly {
		if err := s.run(limitReading); err != nil {
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

// finish counts the query by the error it ended with, nil or io.EOF for none, and
// closes the connection.
func (s *session) finish(err error) {
	queriesRunning.Dec()
	queries.WithLabelValues(s.access, outcome(err)).Inc()
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
