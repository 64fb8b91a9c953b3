package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	migratedb "github.com/golang-migrate/migrate/v4/database"
	driver "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source"
)

// versions is the table schema_migrations as golang-migrate sees it. Every instance
// adds a row before a migration (dirty) and one after it (clean); none is removed.
type versions struct {
	migratedb.Driver
	db     *sql.DB
	all    []uint // versions that there are
	newest uint   // of them
	down   bool   // migrations are taken back
	seen   uint64 // rows, when it was opened
	added  uint64 // rows, by this instance
}

// openVersions opens the table, which is created if it does not exist: once more where
// another instance creates it in the same moment.
func openVersions(db *sql.DB, database string, migrations source.Driver) (*versions, error) {
	all, err := allVersions(migrations)
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	var table migratedb.Driver
	for range 2 {
		table, err = driver.WithInstance(db, &driver.Config{DatabaseName: database, MigrationsTableEngine: "MergeTree"})
		if err == nil {
			return &versions{Driver: table, db: db, all: all, newest: all[len(all)-1]}, nil
		}
	}
	return nil, err
}

// check refuses a database that cannot be migrated: one that is newer than the binary,
// and one that has NetMeta's tables but lost the record of their version, as a damaged
// disk may leave it.
//
// It looks for the tables before it counts the rows. An instance that migrates at the
// same time adds its first row before it makes its first table, so that no moment shows
// it a table without a row. A row that goes back to before the first migration, as
// older releases wrote, is a record too.
func (v *versions) check(ctx context.Context) error {
	exists, err := hasFlows(ctx, v.db)
	if err != nil {
		return err
	}
	rows, err := v.rows(ctx)
	if err != nil {
		return err
	}
	v.seen = rows
	if exists && rows == 0 {
		return errUnversioned(v.newest)
	}
	version, _, err := v.Driver.Version()
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if version > int(v.newest) {
		return errNewer(uint(version), v.newest)
	}
	return nil
}

func (v *versions) rows(ctx context.Context) (n uint64, err error) {
	if err := v.db.QueryRowContext(ctx, `SELECT count() FROM schema_migrations`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of schema_migrations: %w", err)
	}
	return n, nil
}

// hasFlows says whether there is a table flows_raw.
func hasFlows(ctx context.Context, db *sql.DB) (exists bool, err error) {
	if err := db.QueryRowContext(ctx, `SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'`).Scan(&exists); err != nil {
		return false, fmt.Errorf("look for table flows_raw: %w", err)
	}
	return exists, nil
}

func errUnversioned(newest uint) error {
	return fmt.Errorf("flows_raw exists, but schema_migrations does not say which version it has, so it may have been damaged: if the tables were up to date, insert (%d, 0, toUnixTimestamp64Nano(now64(9))) into schema_migrations and run it again", newest)
}

func errNewer(version, newest uint) error {
	return fmt.Errorf("the database has schema version %d, this binary knows versions up to %d: it was written by a newer NetMeta, use that one", version, newest)
}

// Version returns the version of the database. Of a migration that was cut off it
// returns the version before, and says that nothing was: golang-migrate, which would
// stop there, does it again. On the way down it returns the version behind it, which may
// be the one that was being taken back. Nothing is written for that, so that no other
// instance can come between.
func (v *versions) Version() (version int, dirty bool, err error) {
	version, dirty, err = v.Driver.Version()
	if err != nil || !dirty || version > int(v.newest) {
		return version, dirty, err
	}
	if v.down {
		from := above(v.all, uint(max(version, 0)))
		slog.Warn("schema: a migration was cut off and is taken back", "version", version, "from", from)
		return int(from), false, nil
	}
	slog.Warn("schema: a migration was cut off and is done again", "version", version)
	before := migratedb.NilVersion
	for _, each := range v.all {
		if int(each) < version {
			before = int(each)
		}
	}
	return before, false, nil
}

// SetVersion adds a row.
func (v *versions) SetVersion(version int, dirty bool) error {
	v.added++
	return v.Driver.SetVersion(version, dirty)
}

// quiet is how long another instance adds no row after it has come to its end, or to a
// long migration.
const quiet = time.Second

// waitForOthers waits until instances that migrate at the same time add no rows any
// more, and says whether there were any since check.
func (v *versions) waitForOthers(ctx context.Context) (bool, error) {
	var before uint64
	for deadline := time.Now().Add(quiet); ; {
		rows, err := v.rows(ctx)
		if err != nil {
			return false, err
		}
		others := rows - min(rows, v.seen+v.added)
		switch {
		case others == 0:
			return false, nil
		case others > before:
			before, deadline = others, time.Now().Add(quiet)
		case time.Now().After(deadline):
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(quiet / 20):
		}
	}
}
