package clickhouse

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	migratedb "github.com/golang-migrate/migrate/v4/database"
	driver "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source"

	"github.com/leoluk/NetMeta/schema"
)

// attempts is how often Migrate begins again where another instance got in its way.
const attempts = 10

// Migrate brings the schema of db's database up to the newest version that this
// binary knows. It refuses a database that is newer than the binary. A migration
// that was cut off, by a crash or by an instance that migrates at the same time, is
// done again: schema's migrations leave alone what is there already.
//
// The Kafka connection (ConfigureKafka) has to exist before. Cancelling ctx stops
// after the migration that is running.
func Migrate(ctx context.Context, db *sql.DB) error {
	var database string
	if err := db.QueryRowContext(ctx, `SELECT currentDatabase()`).Scan(&database); err != nil {
		return fmt.Errorf("ask ClickHouse for the current database: %w", err)
	}
	retention, err := retentionOf(ctx, db, "flows_raw")
	if err != nil {
		return err
	}
	migrations, err := schema.SourceKeeping(cmp.Or(retention, schema.DefaultRetention))
	if err != nil {
		return err
	}
	target, err := openTarget(db, database)
	if err != nil {
		return fmt.Errorf("open the table of migrations in database %s: %w", database, err)
	}
	m, err := migrate.NewWithInstance("schema", migrations, database, target)
	if err != nil {
		return fmt.Errorf("prepare migrations of database %s: %w", database, err)
	}
	// m is not closed: that would close db, which is the caller's.
	m.Log = migrationLog{}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	for range attempts {
		if err := prepare(ctx, db, m, migrations); err != nil {
			return err
		}
		err = m.Up()
		if dirty := (migrate.ErrDirty{}); !errors.As(err, &dirty) {
			break
		}
	}
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate database %s: %w", database, withoutStatement(err))
	}
	return ctx.Err()
}

// openTarget opens the table of migrations, which is created if it does not exist:
// once more where another instance creates it in the same moment.
func openTarget(db *sql.DB, database string) (target migratedb.Driver, err error) {
	for range 2 {
		target, err = driver.WithInstance(db, &driver.Config{DatabaseName: database, MigrationsTableEngine: "MergeTree"})
		if err == nil {
			return target, nil
		}
	}
	return nil, err
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

// checkUnversioned refuses a database that has NetMeta's tables but lost the record
// of their version, as a damaged disk may leave it.
func checkUnversioned(ctx context.Context, db *sql.DB, newest uint) error {
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'`).Scan(&exists); err != nil {
		return fmt.Errorf("look for table flows_raw: %w", err)
	}
	if exists {
		return fmt.Errorf("flows_raw exists, but schema_migrations does not say which version it has, so it may have been damaged: if the tables were up to date, insert (%d, 0, toUnixTimestamp64Nano(now64(9))) into schema_migrations and run it again", newest)
	}
	return nil
}

// prepare refuses a database that cannot be migrated, and goes back to before a
// migration that was cut off.
func prepare(ctx context.Context, db *sql.DB, m *migrate.Migrate, migrations source.Driver) error {
	newest, err := newestVersion(migrations)
	if err != nil {
		return fmt.Errorf("find the newest migration: %w", err)
	}
	version, dirty, err := m.Version()
	switch {
	case errors.Is(err, migrate.ErrNilVersion):
		return checkUnversioned(ctx, db, newest)
	case err != nil:
		return fmt.Errorf("read the version of the schema: %w", err)
	case version > newest:
		return fmt.Errorf("the database has schema version %d, this binary knows versions up to %d: it was written by a newer NetMeta, use that one", version, newest)
	case !dirty:
		return nil
	}
	slog.Warn("schema: a migration was cut off and is done again", "version", version)
	before := migratedb.NilVersion
	if previous, err := migrations.Prev(version); err == nil {
		before = int(previous)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("find the migration before %d: %w", version, err)
	}
	if err := m.Force(before); err != nil {
		return fmt.Errorf("go back to before migration %d, which was cut off: %w", version, err)
	}
	return nil
}

func newestVersion(migrations source.Driver) (uint, error) {
	version, err := migrations.First()
	if err != nil {
		return 0, err
	}
	for {
		next, err := migrations.Next(version)
		if errors.Is(err, fs.ErrNotExist) {
			return version, nil
		}
		if err != nil {
			return 0, err
		}
		version = next
	}
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
