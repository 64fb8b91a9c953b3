package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	driver "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source"

	"github.com/leoluk/NetMeta/schema"
)

// Migrate brings the schema of db's database up to the newest version that this
// binary knows. It refuses a database that is newer than the binary, or one in
// which an earlier migration failed half-way, and says what to do about it.
//
// The Kafka connection (ConfigureKafka) has to exist before. Cancelling ctx stops
// after the migration that is running.
func Migrate(ctx context.Context, db *sql.DB) error {
	var database string
	if err := db.QueryRowContext(ctx, `SELECT currentDatabase()`).Scan(&database); err != nil {
		return fmt.Errorf("ask ClickHouse for the current database: %w", err)
	}
	migrations, err := schema.Source()
	if err != nil {
		return err
	}
	newest, err := newestVersion(migrations)
	if err != nil {
		return fmt.Errorf("find the newest migration: %w", err)
	}
	target, err := driver.WithInstance(db, &driver.Config{DatabaseName: database, MigrationsTableEngine: "MergeTree"})
	if err != nil {
		return fmt.Errorf("open the table of migrations in database %s: %w", database, err)
	}
	m, err := migrate.NewWithInstance("schema", migrations, database, target)
	if err != nil {
		return fmt.Errorf("prepare migrations of database %s: %w", database, err)
	}
	// m is not closed: that would close db, which is the caller's.
	if err := checkVersion(m, newest); err != nil {
		return err
	}
	m.Log = migrationLog{}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate database %s: %w", database, err)
	}
	return ctx.Err()
}

func checkVersion(m *migrate.Migrate, newest uint) error {
	version, dirty, err := m.Version()
	switch {
	case errors.Is(err, migrate.ErrNilVersion):
		return nil
	case err != nil:
		return fmt.Errorf("read the version of the schema: %w", err)
	case version > newest:
		return fmt.Errorf("the database has schema version %d, this binary knows versions up to %d: it was written by a newer NetMeta, use that one", version, newest)
	case dirty:
		return fmt.Errorf("migration %d failed half-way: repair what it was to do (schema/%04d_*.up.sql), then insert (%d, 0, toUnixTimestamp64Nano(now64(9))) into schema_migrations and run it again", version, version, version)
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
