package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// withGateClosed does work while no flows are stored: they wait in Kafka. The block that
// is being stored is finished before. A program that is killed meanwhile leaves the gate
// closed until ClickHouse is started again, or openGate is called.
func withGateClosed(ctx context.Context, db *sql.DB, work func() error) (err error) {
	defer func() { err = errors.Join(err, openGate(ctx, db)) }()
	if _, err := db.ExecContext(ctx, `DETACH TABLE IF EXISTS flows_gate SYNC`); err != nil {
		return fmt.Errorf("stop the storing of flows for a moment: %w", err)
	}
	return work()
}

// openGate lets flows be stored again, also when ctx has ended. Nothing is done where they are.
func openGate(ctx context.Context, db *sql.DB) error {
	if err := attach(ctx, db, "flows_gate"); err != nil {
		return fmt.Errorf("let flows be stored again (ATTACH TABLE flows_gate): %w", err)
	}
	return nil
}

// attachFor is how long a query may go on that still has the table that was detached.
const attachFor = 2 * time.Minute

// attach attaches a table that was detached, also when ctx has ended. ClickHouse refuses
// that with codeTableExists while a query has the table as it was.
func attach(ctx context.Context, db *sql.DB, table string) error {
	for deadline := time.Now().Add(attachFor); ; time.Sleep(100 * time.Millisecond) {
		_, err := db.ExecContext(context.WithoutCancel(ctx), "ATTACH TABLE IF NOT EXISTS "+table)
		if !hasCode(err, codeTableExists) || time.Now().After(deadline) {
			return err
		}
	}
}
