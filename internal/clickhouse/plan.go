package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/golang-migrate/migrate/v4/source"
)

// Step is one migration that has to be done.
type Step struct {
	Version uint
	Name    string
	Down    bool // the migration is taken back
	SQL     string
}

// Newest stands for the newest version that this binary knows, as a target.
const Newest = -1

// Plan returns the migrations that MigrateTo(target) would do, in their order. It only
// reads: not even the table of migrations has to exist.
func Plan(ctx context.Context, db *sql.DB, target int) ([]Step, error) {
	migrations, err := openSource(ctx, db, target == Newest)
	if err != nil {
		return nil, err
	}
	defer migrations.Close()
	versions, err := allVersions(migrations)
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	newest := versions[len(versions)-1]
	if target == Newest {
		target = int(newest)
	}
	if target < int(versions[0]) || target > int(newest) {
		return nil, fmt.Errorf("schema version %d: this binary knows versions %d to %d", target, versions[0], newest)
	}
	current, dirty, err := currentVersion(ctx, db, newest)
	if err != nil {
		return nil, err
	}
	return between(migrations, versions, current, dirty, uint(target))
}

// between returns the steps from one version to another. A version that is dirty was cut
// off, on its way up to it or down to it: both ways its neighbour is done again.
func between(migrations source.Driver, versions []uint, current uint, dirty bool, target uint) (steps []Step, err error) {
	for _, version := range versions {
		if version <= target && (version > current || dirty && version == current) {
			step, err := readStep(migrations, version, false)
			if err != nil {
				return nil, err
			}
			steps = append(steps, step)
		}
	}
	if target >= current {
		return steps, nil
	}
	steps = nil
	top := current
	if dirty {
		top = above(versions, current)
	}
	for i := len(versions) - 1; i >= 0; i-- {
		if version := versions[i]; version > target && version <= top {
			step, err := readStep(migrations, version, true)
			if err != nil {
				return nil, err
			}
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// above returns the version behind version, or itself if it is the newest.
func above(versions []uint, version uint) uint {
	for _, next := range versions {
		if next > version {
			return next
		}
	}
	return version
}

func readStep(migrations source.Driver, version uint, down bool) (Step, error) {
	read := migrations.ReadUp
	if down {
		read = migrations.ReadDown
	}
	file, name, err := read(version)
	if err != nil {
		return Step{}, fmt.Errorf("read migration %d: %w", version, err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return Step{}, fmt.Errorf("read migration %d: %w", version, err)
	}
	return Step{Version: version, Name: name, Down: down, SQL: strings.TrimRight(strings.TrimSpace(string(text)), ";")}, nil
}

func allVersions(migrations source.Driver) (versions []uint, err error) {
	version, err := migrations.First()
	for ; err == nil; version, err = migrations.Next(version) {
		versions = append(versions, version)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return versions, nil
}

// currentVersion reads the version of a database, 0 for none, without golang-migrate,
// which would create its table.
func currentVersion(ctx context.Context, db *sql.DB, newest uint) (version uint, dirty bool, err error) {
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'`).Scan(&exists); err != nil {
		return 0, false, fmt.Errorf("look for the table of migrations: %w", err)
	}
	stored := int64(-1) // golang-migrate's number for none
	if exists {
		var state uint8
		err = db.QueryRowContext(ctx, `SELECT version, dirty FROM schema_migrations ORDER BY sequence DESC LIMIT 1`).Scan(&stored, &state)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, false, fmt.Errorf("read the version of the schema: %w", err)
		}
		dirty = state != 0
	}
	switch {
	case stored > int64(newest):
		return 0, false, errNewer(uint(stored), newest)
	case stored > 0:
		return uint(stored), dirty, nil
	case errors.Is(err, sql.ErrNoRows) || !exists:
		return 0, false, checkUnversioned(ctx, db, newest)
	}
	return 0, dirty, nil
}

// checkUnversioned refuses a database that has NetMeta's tables but no version.
func checkUnversioned(ctx context.Context, db *sql.DB, newest uint) error {
	exists, err := hasFlows(ctx, db)
	if err == nil && exists {
		return errUnversioned(newest)
	}
	return err
}
