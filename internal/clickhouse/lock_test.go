package clickhouse_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestInstancesThatMigrateAtTheSameTimeLoseNothing(t *testing.T) {
	broker := startBroker(t)
	db := open(t)
	configure(t, db, broker)
	const instances = 4
	errs := make(chan error)
	for range instances {
		go func() { errs <- clickhouse.Migrate(t.Context(), db) }()
	}
	for range instances {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows")
}

// openTwice returns two clients of a new database. Each statement of the first goes
// through between, which calls run to have it executed.
func openTwice(t *testing.T, between func(other *sql.DB, statement string, run func())) (db, other *sql.DB) {
	t.Helper()
	name := chdbtest.Database(t)
	handler := chhttp.New(chdbtest.Engine(t), chhttp.Options{})
	client := func(handler http.Handler) *sql.DB {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		db, err := clickhouse.Open(server.URL + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	other = client(handler)
	db = client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		statement, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a statement: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(statement))
		between(other, string(statement), func() { handler.ServeHTTP(w, r) })
	}))
	return db, other
}

func TestNoOtherInstanceMigratesInTheMiddleOfAMigration(t *testing.T) {
	broker := startBroker(t)
	others := make(chan error, 1)
	asked := false
	db, other := openTwice(t, func(other *sql.DB, statement string, run func()) {
		if strings.Contains(statement, "REPLACE TABLE flows_raw") && !asked {
			asked = true
			go func() { others <- clickhouse.Migrate(t.Context(), other) }()
			select {
			case err := <-others:
				others <- err
				t.Error("the other instance did not wait")
			case <-time.After(3 * time.Second):
			}
		}
		run()
	})
	configure(t, other, broker)
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Error(err)
	}
	if !asked {
		t.Fatal("no migration makes flows_raw anew: the other instance did not run")
	}
	if err := <-others; err != nil {
		t.Errorf("the other instance: %v", err)
	}
	noLocks(t, db)
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows")
}

// noLocks fails the test if one is left.
func noLocks(t *testing.T, db *sql.DB) {
	t.Helper()
	if n := query[uint64](t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE 'schema_lock%'"); n > 0 {
		t.Errorf("%d locks are left", n)
	}
}

// upToDate fails the test if the database does not say that all migrations are done.
func upToDate(t *testing.T, db *sql.DB) {
	t.Helper()
	if s := schemaState(t, db); s.Version != s.Newest || s.Dirty || len(s.Closed) > 0 {
		t.Errorf("the database is not up to date: %+v", s)
	}
}

func schemaState(t *testing.T, db *sql.DB) clickhouse.SchemaState {
	t.Helper()
	s, err := clickhouse.ReadSchemaState(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const makeLock = "CREATE TABLE schema_lock (Holder String, Time DateTime64(3)) ENGINE = Memory"

func TestLockOfAnInstanceThatIsGoneIsTakenOver(t *testing.T) {
	for name, row := range map[string]string{
		"it has given no sign of life for long": "INSERT INTO schema_lock SELECT 'gone', now64(3) - INTERVAL 31 SECOND",
		"ClickHouse was started anew":           "SELECT 1", // no rows: nothing is left of them in memory
	} {
		t.Run(name, func(t *testing.T) {
			broker := startBroker(t)
			db := open(t)
			configure(t, db, broker)
			exec(t, db, makeLock)
			exec(t, db, row)
			errs := make(chan error)
			for range 3 {
				go func() { errs <- clickhouse.Migrate(t.Context(), db) }()
			}
			for range 3 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			noLocks(t, db)
		})
	}
}

func TestWaitingForAnotherInstanceSaysForWhich(t *testing.T) {
	db := open(t)
	exec(t, db, makeLock)
	exec(t, db, "INSERT INTO schema_lock SELECT 'router-7/42', now64(3)")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := clickhouse.Migrate(ctx, db); err == nil || !strings.Contains(err.Error(), "router-7/42") {
		t.Errorf("got %v, want an error that names the other instance", err)
	}
}

func TestInstanceWhoseLockWasTakenOverStops(t *testing.T) {
	broker := startBroker(t)
	taken := false
	db, other := openTwice(t, func(other *sql.DB, statement string, run func()) {
		run()
		if strings.Contains(statement, "TABLE IF NOT EXISTS flows_errors") {
			taken = true
			exec(t, other, "RENAME TABLE schema_lock TO schema_lock_expired_0")
			exec(t, other, makeLock)
			exec(t, other, "INSERT INTO schema_lock SELECT 'other', now64(3)")
		}
	})
	configure(t, other, broker)
	if err := clickhouse.Migrate(t.Context(), db); err == nil || !strings.Contains(err.Error(), "lock of the schema is lost") {
		t.Errorf("got %v, want an error that says so", err)
	}
	if !taken || query[uint64](t, other, "SELECT count() FROM schema_lock WHERE Holder = 'other'") == 0 {
		t.Error("the lock of the other instance is gone")
	}
	if query[uint64](t, other, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'flows_queue'") > 0 {
		t.Error("it went on")
	}
	exec(t, other, "DROP TABLE schema_lock")
	if err := clickhouse.Migrate(t.Context(), other); err != nil {
		t.Error(err)
	}
	noLocks(t, other)
}

// Earlier releases went back to before the first migration in a row of its own, after
// which they could be killed, or another instance could look.
func TestMigrationThatWentBackToBeforeTheFirstOneIsDoneAgain(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "INSERT INTO schema_migrations (version, dirty, sequence) VALUES (-1, 0, toUnixTimestamp64Nano(now64(9)))")
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows")
}

func TestNewDatabaseConsumesOnlyWhenAllIsThere(t *testing.T) {
	broker := startBroker(t)
	made, gates := 0, 0
	db, other := openTwice(t, func(other *sql.DB, statement string, run func()) {
		if strings.Contains(statement, "ENGINE = Kafka(") {
			made++
			if query[uint64](t, other, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN ('flows_raw_view', 'flows_received')") == 0 && strings.Contains(statement, "flows_queue") {
				t.Error("flows_queue is made before its views")
			}
		}
		if strings.Contains(statement, "VIEW IF NOT EXISTS flows_gate") {
			gates++
			if query[uint64](t, other, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN ('flows_1m_view', 'flows_1h_view')") != 2 {
				t.Error("flows_gate is made before the rollups")
			}
		}
		run()
	})
	configure(t, other, broker)
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Error(err)
	}
	if made != 4 {
		t.Errorf("%d tables of Kafka were made, want one each of flows, counters, the pipeline and traces", made)
	}
	if gates != 1 {
		t.Errorf("flows_gate was made %d times", gates)
	}
	upToDate(t, other)
}
