package query

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// A server goes on with a query whose client is gone, which the embedded engine does
// not: here the connection stays, and only KILL QUERY can end it.
func TestStopKillsAQueryWhoseConnectionStays(t *testing.T) {
	handler := chhttp.New(chdbtest.Engine(t), chhttp.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	}))
	t.Cleanup(server.Close)
	endpoint, err := clickhouse.ParseEndpoint(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, other := NewClient(endpoint), NewID()
	run := func(ctx context.Context, id string) chan error {
		done := make(chan error, 1)
		go func() {
			result, err := client.Run(ctx, id, Query{SQL: "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10", Format: "CSV"})
			if err == nil {
				defer result.Close()
				_, err = io.Copy(io.Discard, result)
			}
			done <- err
		}()
		return done
	}
	runs := func(id string) bool {
		_, running, err := client.Progress(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return running
	}
	id := NewID()
	ctx, cancel := context.WithCancel(t.Context())
	done, otherDone := run(ctx, id), run(t.Context(), other)
	for end := time.Now().Add(30 * time.Second); !runs(id) || !runs(other); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the queries do not run")
		}
	}
	cancel()
	<-done
	if !runs(id) {
		t.Error("the query ended with its connection: this test shows nothing")
	}
	if err := client.Stop(id); err != nil || runs(id) {
		t.Errorf("%v; it still runs: %v", err, runs(id))
	}
	if !runs(other) {
		t.Error("another query was killed, too")
	}
	if err := client.Stop(other); err != nil {
		t.Error(err)
	}
	if err := <-otherDone; err == nil {
		t.Error("a killed query has no error")
	}
}
