package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Consuming returns nil if flows_queue and counters_queue read from Kafka and what
// they read is stored, or what is wrong. A failure is of the last minute, within which
// ClickHouse tries again many times, and nothing has been stored since.
func Consuming(ctx context.Context, db *sql.DB) error {
	var flows, counters uint64
	var failure string
	err := db.QueryRowContext(ctx, `
		SELECT
			countIf(table = 'flows_queue' AND notEmpty(assignments.topic)),
			countIf(table = 'counters_queue' AND notEmpty(assignments.topic)),
			anyIf(
				arrayElement(exceptions.text, -1),
				arrayElement(exceptions.time, -1) > greatest(last_commit_time, now() - INTERVAL 1 MINUTE)
				AND position(arrayElement(exceptions.text, -1), 'while pushing to view') > 0)
		FROM system.kafka_consumers
		WHERE database = currentDatabase()`).Scan(&flows, &counters, &failure)
	switch {
	case err != nil:
		return fmt.Errorf("ClickHouse does not answer: %w", err)
	case flows == 0:
		return errors.New("ClickHouse has not begun to read flows from Kafka")
	case counters == 0:
		return errors.New("ClickHouse has not begun to read interface counters from Kafka")
	case failure != "":
		reason, _, _ := strings.Cut(failure, ", Stack trace")
		return fmt.Errorf("ClickHouse cannot store what it reads from Kafka, and tries again: %s", reason)
	}
	return nil
}
