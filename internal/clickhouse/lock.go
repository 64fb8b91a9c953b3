package clickhouse

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// How long a lock is held without a sign of life. One without any is of a server that
// was started anew since, which forgets them, or of an instance that is just taking it.
const (
	heartbeat = time.Second
	expiry    = 30 * time.Second
	grace     = 2 * time.Second
)

// lock is held by the instance that migrates a database or repairs its rollups. Another
// one could make a table anew into which the first has just begun to consume, and lose
// what is under way.
//
// ClickHouse has no locks for its clients, but makes a table only once: the lock is the
// table schema_lock, whose rows are signs of life. A lock that has expired is taken over
// by renaming it to a name of its own, which works once, too.
type lock struct {
	db     *sql.DB
	holder string
	stop   func()
}

const (
	codeUnknownTable = 60
	codeTableExists  = 57
	codeThrowIf      = 395
	takenOverPrefix  = "schema_lock_expired_"
	createLock       = `CREATE TABLE schema_lock ENGINE = Memory SETTINGS max_rows_to_keep = 100 COMMENT 'Held by the instance of NetMeta that migrates this database or repairs its sums' AS SELECT ? AS Holder, now64(3) AS Time`
	stayAlive        = `INSERT INTO schema_lock SELECT Holder, now64(3) FROM schema_lock WHERE Holder = ? LIMIT 1`
	countSignsOfLife = `SELECT count() FROM schema_lock WHERE Holder = ?`
	readLock         = `SELECT (SELECT lower(hex(sipHash64(uuid, metadata_modification_time))) FROM system.tables WHERE database = currentDatabase() AND name = 'schema_lock'), any(Holder), count(), if(count() = 0, 0, dateDiff('millisecond', max(Time), now64(3))) FROM schema_lock`
	listTakenOver    = `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '` + takenOverPrefix + `')`
)

// acquire takes the lock, for which it waits until ctx ends.
func acquire(ctx context.Context, db *sql.DB) (*lock, error) {
	host, _ := os.Hostname()
	l := &lock{db: db, holder: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text())}
	var seen lockState
	for {
		_, err := db.ExecContext(ctx, createLock, l.holder)
		if err == nil {
			l.live(ctx)
			return l, nil
		}
		if ctx.Err() == nil && !hasCode(err, codeTableExists) {
			return nil, fmt.Errorf("take the lock of the schema: %w", err)
		}
		now, err := seen.look(ctx, db)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("wait for the instance %q, which is changing this database: %w", seen.holder, ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		seen = now
		if seen.expired() {
			slog.Warn("schema: the instance that was changing the database is gone, its lock is taken over", "holder", seen.holder)
			if err := seen.takeOver(ctx, db); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(heartbeat / 4):
		}
	}
}

// lockState is the lock of another instance as it was seen.
type lockState struct {
	id     string // of the table
	holder string
	silent time.Duration // since the last sign of life
	empty  time.Time     // since when it has none
}

// look looks at the lock again, and says in the log that it is another instance's.
func (s lockState) look(ctx context.Context, db *sql.DB) (lockState, error) {
	now, err := s.read(ctx, db)
	if err == nil && s.id != now.id && now.holder != "" {
		slog.Info("schema: another instance is changing this database: waiting for it", "holder", now.holder)
	}
	return now, err
}

// read reads the state of the lock, of which s is what was known before.
func (s lockState) read(ctx context.Context, db *sql.DB) (lockState, error) {
	var id *string
	var now lockState
	var rows uint64
	var silent int64
	err := db.QueryRowContext(ctx, readLock).Scan(&id, &now.holder, &rows, &silent)
	switch {
	case hasCode(err, codeUnknownTable) || err == nil && id == nil:
		return lockState{}, nil
	case err != nil:
		return lockState{}, fmt.Errorf("read the lock of the schema: %w", err)
	}
	now.id, now.silent = *id, time.Duration(silent)*time.Millisecond
	if rows == 0 {
		now.empty = time.Now()
		if s.id == now.id && !s.empty.IsZero() {
			now.empty = s.empty
		}
	}
	return now, nil
}

func (s lockState) expired() bool {
	return s.silent > expiry || !s.empty.IsZero() && time.Since(s.empty) > grace
}

// takeOver removes the lock, unless another instance was faster.
func (s lockState) takeOver(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "RENAME TABLE schema_lock TO "+takenOverPrefix+s.id)
	if err != nil && !hasCode(err, codeTableExists) && !hasCode(err, codeUnknownTable) {
		return fmt.Errorf("take over the lock of the schema: %w", err)
	}
	return nil
}

// live gives signs of life until the lock is released.
func (l *lock) live(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(heartbeat):
			}
			if _, err := l.db.ExecContext(ctx, stayAlive, l.holder); err != nil && ctx.Err() == nil {
				slog.Warn("schema: no sign of life for the lock of the schema, others take it over if that lasts", "error", err, "after", expiry)
			}
		}
	})
	l.stop = func() { cancel(); running.Wait() }
}

var errLockLost = errors.New("the lock of the schema is lost: ClickHouse was started anew, or did not answer for so long that another instance took over; run it again")

// held returns errLockLost if another instance has taken the lock over.
func (l *lock) held() error {
	var rows uint64
	err := l.db.QueryRow(countSignsOfLife, l.holder).Scan(&rows)
	if err != nil && !hasCode(err, codeUnknownTable) {
		return fmt.Errorf("read the lock of the schema: %w", err)
	}
	if rows == 0 {
		return errLockLost
	}
	return nil
}

// release gives the lock back, and removes those that were taken over.
func (l *lock) release() {
	l.stop()
	if l.held() != nil {
		return
	}
	drop := func(name string) {
		if _, err := l.db.Exec("DROP TABLE IF EXISTS " + name + " SYNC"); err != nil {
			slog.Warn("schema: cannot release the lock of the schema, the next instance waits until it expires", "table", name, "error", err)
		}
	}
	rows, err := l.db.Query(listTakenOver)
	if err == nil {
		var names []string
		for rows.Next() {
			var name string
			if rows.Scan(&name) == nil {
				names = append(names, name)
			}
		}
		rows.Close()
		for _, name := range names {
			drop(name)
		}
	}
	drop("schema_lock")
}

// hasCode says whether err is ClickHouse's error of that number, which its HTTP
// interface gives as text.
func hasCode(err error, code int) bool {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		return int(exception.Code) == code
	}
	return err != nil && strings.Contains(err.Error(), fmt.Sprintf("Code: %d.", code))
}
