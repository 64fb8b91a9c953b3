package clickhouse

import (
	"context"
	"database/sql"

	"github.com/golang-migrate/migrate/v4"
)

// MigrateTo brings the schema of db's database up or down to the version target. What
// is lost on the way down is lost: ask Losses of its Plan before. A migration that was
// cut off is done again, also one that was being taken back.
func MigrateTo(ctx context.Context, db *sql.DB, target uint) error {
	steps, err := Plan(ctx, db, int(target))
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		return nil
	}
	to := up
	if steps[0].Down {
		to = down
	}
	return run(ctx, db, to, func(m *migrate.Migrate) error { return m.Migrate(target) })
}
