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

// versions is the table schema_migrations as golang-migrate sees it, who adds a row
// before a migration (dirty) and one after it (clean), and removes none.
type versions struct {
	migratedb.Driver
	db     *sql.DB
	lock   *lock
	all    []uint // versions that there are
	newest uint   // of them
	down   bool   // migrations are taken back
	done   *int   // version without a row of its own yet: see SetVersion
}

// openVersions opens the table, which is created if it does not exist.
func openVersions(l *lock, database string, migrations source.Driver) (*versions, error) {
	all, err := allVersions(migrations)
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	table, err := driver.WithInstance(l.db, &driver.Config{DatabaseName: database, MigrationsTableEngine: "MergeTree"})
	if err != nil {
		return nil, err
	}
	return &versions{Driver: table, db: l.db, lock: l, all: all, newest: all[len(all)-1]}, nil
}

// check refuses a database that cannot be migrated: one that is newer than the binary,
// and one that has NetMeta's tables but lost the record of their version, as a damaged
// disk may leave it. A row that goes back to before the first migration, as older
// releases wrote, is a record too.
func (v *versions) check(ctx context.Context) error {
	exists, err := hasFlows(ctx, v.db)
	if err != nil {
		return err
	}
	var rows uint64
	if err := v.db.QueryRowContext(ctx, `SELECT count() FROM schema_migrations`).Scan(&rows); err != nil {
		return fmt.Errorf("count the rows of schema_migrations: %w", err)
	}
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

// gates are made by these migrations.
var gates = map[string]int{"flows_gate": 15, "counters_gate": 21, "pipeline_gate": 90, "traces_gate": 163}

// closeGates removes the gates of a database that has them although its version was set
// back to before them, by hand or by a release that did so: they are made again.
// Migrations that come before make tables anew, into which nothing may flow meanwhile.
func (v *versions) closeGates(ctx context.Context) error {
	version, dirty, err := v.Driver.Version()
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if dirty {
		version--
	}
	for gate, made := range gates {
		if version >= made {
			continue
		}
		if _, err := v.db.ExecContext(ctx, "DROP VIEW IF EXISTS "+gate+" SYNC"); err != nil {
			return fmt.Errorf("close %s: %w", gate, err)
		}
	}
	return nil
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
// be the one that was being taken back.
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

// addVersion adds a row, or fails with codeThrowIf if the lock is lost.
const addVersion = `INSERT INTO schema_migrations (version, dirty, sequence) SELECT ? + throwIf(count() = 0), ?, ? FROM schema_lock WHERE Holder = ?`

// SetVersion adds a row, if the lock is still held. That a migration is done is not
// written before it is known that no other one follows, whose row says as much: half of
// the time that a new database takes would go into such rows.
func (v *versions) SetVersion(version int, dirty bool) error {
	if !dirty {
		v.done = &version
		return nil
	}
	v.done = nil
	return v.add(version, dirty)
}

// finish adds the row that SetVersion has put off.
func (v *versions) finish() error {
	if v.done == nil {
		return nil
	}
	return v.add(*v.done, false)
}

func (v *versions) add(version int, dirty bool) error {
	_, err := v.db.Exec(addVersion, version, dirty, time.Now().UnixNano(), v.lock.holder)
	if hasCode(err, codeThrowIf) || hasCode(err, codeUnknownTable) {
		return errLockLost
	}
	if err != nil {
		return fmt.Errorf("write down version %d of the schema: %w", version, err)
	}
	return nil
}
