package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Retention is how long what is stored is kept. 0 leaves it as it is.
type Retention struct {
	Raw     time.Duration // flows, interface counters, traces, and messages that could not be parsed
	Minutes time.Duration // the sums in flows_1m
	Hours   time.Duration // the sums in flows_1h
}

// Ages that a table can have. A DateTime ends in 2106, and behind that it begins anew: rows
// that end later would be dropped at once.
const (
	shortestRetention = time.Hour
	longestRetention  = 50 * 365 * 24 * time.Hour
)

// tableAge is how long the rows of a table are kept.
type tableAge struct {
	table string
	age   time.Duration
}

func (r Retention) tables() []tableAge {
	return []tableAge{
		{"flows_raw", r.Raw}, {"flows_1m", r.Minutes}, {"flows_1h", r.Hours},
		{"interface_counters", r.Raw}, {"web_requests", r.Raw}, {"traces", r.Raw}, {"flows_errors", r.Raw},
	}
}

// SetRetention changes how long flows, their sums and counters are kept. Existing rows are
// not rewritten: whole parts are dropped once all their rows have passed the new age.
// Nothing is done where the retention is already that.
func SetRetention(ctx context.Context, db *sql.DB, keep Retention) error {
	for _, t := range keep.tables() {
		switch {
		case t.age == 0:
		case t.age < shortestRetention:
			return fmt.Errorf("retention of %s is too short: flows are kept for at least an hour (1h)", t.age)
		case t.age > longestRetention:
			return fmt.Errorf("retention of %s is too long: flows are kept for 50 years (50y) at most", t.age)
		}
	}
	for _, t := range keep.tables() {
		if t.age == 0 {
			continue
		}
		if err := t.set(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func (t tableAge) set(ctx context.Context, db *sql.DB) error {
	ttl := fmt.Sprintf(`TTL TimeReceived + toIntervalSecond(%d)`, int64(t.age/time.Second))
	var definition string
	if err := db.QueryRowContext(ctx, `SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = ?`, t.table).Scan(&definition); err != nil {
		return fmt.Errorf("read the retention of %s: %w", t.table, err)
	}
	if strings.Contains(definition, ttl+" ") {
		return nil
	}
	if _, err := db.ExecContext(ctx, `ALTER TABLE `+t.table+` MODIFY `+ttl+` SETTINGS materialize_ttl_after_modify = 0`); err != nil {
		return fmt.Errorf("set the retention of %s to %s: %w", t.table, t.age, err)
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

// Kept is what is stored in a table.
type Kept struct {
	Table  string
	Age    time.Duration // after which rows are dropped; 0: never
	Oldest time.Time     // row
	Rows   uint64
	Bytes  uint64 // on disk
}

// ReadRetention returns what is stored, and how long it is kept, of each table that has a
// retention.
func ReadRetention(ctx context.Context, db *sql.DB) (tables []Kept, err error) {
	for _, t := range (Retention{}).tables() {
		kept := Kept{Table: t.table}
		expression, err := retentionOf(ctx, db, t.table)
		if err != nil {
			return nil, err
		}
		if expression != "" {
			var seconds int64
			if err := db.QueryRowContext(ctx, `WITH toDateTime('2000-01-01 00:00:00', 'UTC') AS TimeReceived SELECT dateDiff('second', TimeReceived, `+expression+`)`).Scan(&seconds); err != nil {
				return nil, fmt.Errorf("understand the retention of %s (%s): %w", t.table, expression, err)
			}
			kept.Age = time.Duration(seconds) * time.Second
		}
		err = db.QueryRowContext(ctx, `
			SELECT sum(rows), sum(bytes_on_disk), min(min_time)
			FROM system.parts
			WHERE active AND database = currentDatabase() AND table = ?`, t.table).Scan(&kept.Rows, &kept.Bytes, &kept.Oldest)
		if err != nil {
			return nil, fmt.Errorf("read what %s holds: %w", t.table, err)
		}
		tables = append(tables, kept)
	}
	return tables, nil
}
