package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	migratedb "github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/source"

	"github.com/leoluk/NetMeta/schema"
)

// Migrate brings the schema of db's database up to the newest version that this
// binary knows. It refuses a database that is newer than the binary. A migration
// that was cut off by a crash is done again: schema's migrations leave alone what is
// there already. While another instance migrates the database, it waits.
//
// The Kafka connection (ConfigureKafka) has to exist before. Cancelling ctx stops
// after the migration that is running.
func Migrate(ctx context.Context, db *sql.DB) error {
	return run(ctx, db, allUp, (*migrate.Migrate).Up)
}

// openSource returns the migrations for db: those that make flows_raw anew keep its
// retention. complete says that all will be run.
func openSource(ctx context.Context, db *sql.DB, complete bool) (source.Driver, error) {
	exists, err := hasFlows(ctx, db)
	if err != nil {
		return nil, err
	}
	retention, err := retentionOf(ctx, db, "flows_raw")
	if err != nil {
		return nil, err
	}
	var ordered bool
	const order = `SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw' AND startsWith(sorting_key, 'negate')`
	if err := db.QueryRowContext(ctx, order).Scan(&ordered); err != nil {
		return nil, fmt.Errorf("read the order of flows_raw: %w", err)
	}
	return schema.Source(schema.Options{Retention: retention, New: complete && !exists, Ordered: ordered})
}

// direction is where migrations lead.
type direction int

const (
	down direction = iota
	up
	allUp // to the newest version
)

// run does what move says with the migrations of db's database.
func run(ctx context.Context, db *sql.DB, to direction, move func(*migrate.Migrate) error) error {
	var database string
	if err := db.QueryRowContext(ctx, `SELECT currentDatabase()`).Scan(&database); err != nil {
		return fmt.Errorf("ask ClickHouse for the current database: %w", err)
	}
	lock, err := acquire(ctx, db)
	if err != nil {
		return err
	}
	defer lock.release()
	migrations, err := openSource(ctx, db, to == allUp)
	if err != nil {
		return err
	}
	versions, err := openVersions(lock, database, migrations)
	if err != nil {
		return fmt.Errorf("open the table of migrations in database %s: %w", database, err)
	}
	versions.down = to == down
	if err := versions.check(ctx); err != nil {
		return err
	}
	if to != down {
		if err := versions.closeGates(ctx); err != nil {
			return err
		}
	}
	m, err := migrate.NewWithInstance("schema", migrations, database, versions)
	if err != nil {
		return fmt.Errorf("prepare migrations of database %s: %w", database, err)
	}
	// m is not closed: that would close db, which is the caller's.
	m.Log = migrationLog{}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	if err := errors.Join(move(m), versions.finish()); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate database %s: %w", database, withoutStatement(err))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return qualifyDictionaries(ctx, db)
}

// withoutStatement leaves the text of the migration out of its error: a hundred
// lines of SQL would hide what ClickHouse says of it.
func withoutStatement(err error) error {
	var failed migratedb.Error
	if errors.As(err, &failed) && failed.OrigErr != nil {
		return failed.OrigErr
	}
	return err
}

// migrationLog passes golang-migrate's progress on to the log.
type migrationLog struct{}

func (migrationLog) Printf(format string, v ...any) {
	line := strings.TrimSpace(fmt.Sprintf(format, v...))
	var version uint
	var name string
	if _, err := fmt.Sscanf(line, "%d/u %s", &version, &name); err != nil {
		slog.Info("schema: " + line)
		return
	}
	slog.Info("schema: migrated", "version", version, "name", name)
}

func (migrationLog) Verbose() bool { return false }
