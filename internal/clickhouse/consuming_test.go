package clickhouse_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// waitConsuming waits until Consuming answers nil, or an error that says want.
func waitConsuming(t *testing.T, db *sql.DB, want string) {
	t.Helper()
	err := errors.New("not asked")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		err = clickhouse.Consuming(t.Context(), db)
		if err == nil && want == "" || err != nil && want != "" && strings.Contains(err.Error(), want) {
			return
		}
	}
	t.Fatalf("got %v, want %q", err, want)
}

func TestConsumerThatCannotStoreSaysSoUntilItCan(t *testing.T) {
	db, broker := migrated(t)
	waitConsuming(t, db, "")
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	exec(t, db, "ALTER TABLE flows_raw MODIFY SETTING parts_to_throw_insert = 1")
	publish(t, broker, delimited(t, good(2)))
	waitConsuming(t, db, "cannot store what it reads")
	exec(t, db, "ALTER TABLE flows_raw RESET SETTING parts_to_throw_insert")
	waitConsuming(t, db, "")
	waitFor(t, db, 2, "SELECT count() FROM flows_raw")
}

func TestConsumerThatDoesNotExistIsNotConsuming(t *testing.T) {
	db := open(t)
	if err := clickhouse.Consuming(t.Context(), db); err == nil {
		t.Error("a database without tables consumes")
	}
}

func TestNoQueueWaitsForAnother(t *testing.T) {
	db, _ := migrated(t)
	queues := query[uint64](t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND engine = 'Kafka'")
	threads := query[int64](t, db, "SELECT value FROM system.metrics WHERE metric = 'BackgroundMessageBrokerSchedulePoolSize'")
	if queues == 0 || threads < int64(queues) {
		t.Errorf("%d Kafka tables share %d threads", queues, threads)
	}
}
