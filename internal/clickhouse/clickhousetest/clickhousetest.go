// Package clickhousetest gives tests databases with NetMeta's schema, in the embedded
// engine.
package clickhousetest

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// Migrated returns a database of its own for the test, with NetMeta's schema: a client
// that may write, and one that may only read, as people have it. Kafka is at an address
// where nothing listens. Both end with the test.
func Migrated(t testing.TB) (write, read *sql.DB) {
	t.Helper()
	engine, name := chdbtest.Engine(t), chdbtest.Database(t)
	write = open(t, chhttp.New(engine, chhttp.Options{}), name)
	Migrate(t, write, nowhere)
	return write, open(t, chhttp.New(engine, chhttp.Options{ReadOnly: true}), name)
}

func open(t testing.TB, handler http.Handler, database string) *sql.DB {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(server.URL + "/" + database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
