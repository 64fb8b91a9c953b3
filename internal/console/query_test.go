package console

import (
	"context"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStoredCountsRowsAndSaysWhyMessagesFailed(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	got, err := database{read}.stored(context.Background())
	must(t, err)
	if diff := cmp.Diff(stored{}, got, cmp.AllowUnexported(stored{})); diff != "" {
		t.Errorf("empty database (-want +got):\n%s", diff)
	}

	_, err = write.Exec(`INSERT INTO flows_raw (TimeReceived) SELECT now() - number FROM numbers(3)`)
	must(t, err)
	_, err = write.Exec(`INSERT INTO flows_errors (TimeReceived, Reason) VALUES (now(), 'not a FlowMessage')`)
	must(t, err)
	got, err = database{read}.stored(context.Background())
	must(t, err)
	if got.rows != 3 || got.errors != 1 || got.newest.IsZero() {
		t.Errorf("stored = %+v, want 3 rows, 1 error and the time of the newest", got)
	}
	if diff := cmp.Diff([]string{"not a FlowMessage"}, got.reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestQueriesRunWithinLimits(t *testing.T) {
	_, read := clickhousetest.Migrated(t)
	ctx, cancel := limited()
	defer cancel()
	var memory, seconds uint64
	must(t, read.QueryRowContext(ctx, `SELECT toUInt64(getSetting('max_memory_usage')), toUInt64(toFloat64(getSetting('max_execution_time')))`).Scan(&memory, &seconds))
	if memory != queryMemory {
		t.Errorf("a query may take %d bytes, want %d", memory, queryMemory)
	}
	if limit := uint64(queryTimeout/time.Second) + 5; seconds == 0 || seconds > limit {
		t.Errorf("a query may take %d s, want between 1 and %d", seconds, limit)
	}
}
