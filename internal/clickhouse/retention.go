package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// tablesWithRetention are those whose rows end with the retention, by TimeReceived.
var tablesWithRetention = []string{"flows_raw", "flows_errors", "interface_counters"}

// SetRetention changes how long flows and counters are kept. Existing rows are not rewritten:
// whole parts are dropped once all their rows have passed the new age. Nothing is
// done where the retention is already that.
func SetRetention(ctx context.Context, db *sql.DB, age time.Duration) error {
	if age < time.Hour {
		return fmt.Errorf("retention of %s is too short: flows are kept for at least an hour (1h)", age)
	}
	for _, table := range tablesWithRetention {
		ttl := fmt.Sprintf(`TTL TimeReceived + toIntervalSecond(%d)`, int64(age/time.Second))
		var definition string
		if err := db.QueryRowContext(ctx, `SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = ?`, table).Scan(&definition); err != nil {
			return fmt.Errorf("read the retention of %s: %w", table, err)
		}
		if strings.Contains(definition, ttl+" ") {
			continue
		}
		if _, err := db.ExecContext(ctx, `ALTER TABLE `+table+` MODIFY `+ttl+` SETTINGS materialize_ttl_after_modify = 0`); err != nil {
			return fmt.Errorf("set the retention of %s to %s: %w", table, age, err)
		}
	}
	return nil
}

// retentionOf returns the TTL expression of a table, "" where it has none or does not
// exist.
func retentionOf(ctx context.Context, db *sql.DB, table string) (expression string, err error) {
	// engine_full ends: ... TTL expression SETTINGS ...
	err = db.QueryRowContext(ctx, `
		SELECT any(extract(engine_full, ' TTL (.*) SETTINGS ')) FROM system.tables
		WHERE database = currentDatabase() AND name = ?`, table).Scan(&expression)
	if err != nil {
		return "", fmt.Errorf("read the retention of %s: %w", table, err)
	}
	return expression, nil
}
