package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// openGate lets flows be stored, also when ctx has ended. Nothing is done where they are.
func openGate(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(context.WithoutCancel(ctx), `ATTACH TABLE IF NOT EXISTS flows_gate`); err != nil {
		return fmt.Errorf("let flows be stored again (ATTACH TABLE flows_gate): %w", err)
	}
	return nil
}
