package clickhouse_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// Queries without end or measure end with an error that says why, and flows are
// stored all the while.
func TestRunawayQueriesLeaveIngestionAlone(t *testing.T) {
	db, broker := migrated(t)
	server := httptest.NewServer(chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: true}))
	defer server.Close()
	const endless = " FROM numbers(100000000000) "
	const rows = ", max_rows_to_read = 100000000000" // as many as can be asked for
	var wait sync.WaitGroup
	for _, c := range []struct{ sql, problem string }{
		{"SELECT sum(number)" + endless + "SETTINGS max_execution_time = 3", "TIMEOUT_EXCEEDED"},
		{"SELECT number" + endless + "ORDER BY sipHash64(number) LIMIT 1 SETTINGS max_execution_time = 3", "TIMEOUT_EXCEEDED"},
		{"SELECT number" + endless + "SETTINGS max_execution_time = 3", "TIMEOUT_EXCEEDED"},
		{"SELECT groupArray(number)" + endless + "SETTINGS max_memory_usage = 200000000", "MEMORY_LIMIT_EXCEEDED"},
		{"SELECT number, count()" + endless + "GROUP BY number SETTINGS max_memory_usage = 200000000", "MEMORY_LIMIT_EXCEEDED"},
	} {
		wait.Go(func() {
			response, err := http.Post(server.URL, "text/plain", strings.NewReader(c.sql+rows))
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			// What was streamed before the error is of no interest, but must be read.
			end := &tail{}
			if _, err := io.Copy(end, response.Body); err == nil && !strings.Contains(string(end.text), c.problem) {
				t.Errorf("%s: the answer ends with %q, want %s", c.sql, end.text, c.problem)
			}
		})
	}
	const messages = 20
	for range messages {
		publish(t, broker, delimited(t, good(1)))
	}
	waitFor(t, db, messages, "SELECT count() FROM flows_raw")
	wait.Wait()
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, messages+1, "SELECT count() FROM flows_raw")
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (e *tail) Write(p []byte) (int, error) {
	e.text = append(e.text, p...)
	e.text = e.text[max(0, len(e.text)-1000):]
	return len(p), nil
}
