package clickhouse_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestInstancesThatMigrateAtTheSameTimeDoNotDisturbEachOther(t *testing.T) {
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

// The first dozen of statements find out where the database stands, those after them
// migrate.
func TestInstanceThatMigratesBetweenTwoStatementsOfAnotherDoesNotDisturbIt(t *testing.T) {
	broker := startBroker(t)
	for _, at := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 40, 60} {
		t.Run(fmt.Sprintf("before statement %d", at), func(t *testing.T) {
			statements := 0
			db, other := openTwice(t, func(other *sql.DB, _ string, run func()) {
				if statements++; statements == at {
					if err := clickhouse.Migrate(t.Context(), other); err != nil {
						t.Errorf("the other instance: %v", err)
					}
				}
				run()
			})
			configure(t, other, broker)
			if err := clickhouse.Migrate(t.Context(), db); err != nil {
				t.Error(err)
			}
			if statements < at {
				t.Errorf("only %d statements: the other instance did not run", statements)
			}
		})
	}
}

func TestMigrationThatAnotherInstanceMakesFailIsDoneAgain(t *testing.T) {
	broker := startBroker(t)
	disturbed := false
	db, other := openTwice(t, func(other *sql.DB, statement string, run func()) {
		if disturbed || !strings.Contains(statement, "VIEW IF NOT EXISTS flows_gate") {
			run()
			return
		}
		// The other one is at migration 9, and goes on after this statement has failed.
		disturbed = true
		exec(t, other, "INSERT INTO schema_migrations (version, dirty, sequence) VALUES (9, 1, toUnixTimestamp64Nano(now64(9)))")
		exec(t, other, "DROP TABLE flows_queue SYNC")
		run()
		if err := clickhouse.Migrate(t.Context(), other); err != nil {
			t.Errorf("the other instance: %v", err)
		}
	})
	configure(t, other, broker)
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Error(err)
	}
	if !disturbed {
		t.Error("the gate was made without the other instance")
	}
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows")
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
