package clickhouse

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/leoluk/NetMeta/schema"
)

// SchemaState is what a database says of its schema.
type SchemaState struct {
	Version int    // of the last migration; 0: none is known
	Newest  int    // that this binary knows
	Dirty   bool   // the migration Version was begun and not finished
	Flows   bool   // there is a table flows_raw
	Changer string // who migrates the database or repairs its sums at the moment; empty: nobody

	// Closed are the gates, views through which all that Kafka has is stored, that are
	// missing or detached though the version has them.
	Closed []string
}

// ReadSchemaState reads the state of the schema. It only reads, and takes no lock.
func ReadSchemaState(ctx context.Context, db *sql.DB) (s SchemaState, err error) {
	if s.Flows, err = hasFlows(ctx, db); err != nil {
		return s, err
	}
	if s.Newest, err = newestVersion(); err != nil {
		return s, err
	}
	var tables []string
	if err := db.QueryRowContext(ctx, `SELECT groupArray(name) FROM system.tables WHERE database = currentDatabase()`).Scan(&tables); err != nil {
		return s, fmt.Errorf("list the tables: %w", err)
	}
	if slices.Contains(tables, "schema_migrations") {
		if err := s.readVersion(ctx, db); err != nil {
			return s, err
		}
	}
	for _, gate := range slices.Sorted(maps.Keys(gates)) {
		if s.Version >= gates[gate] && !slices.Contains(tables, gate) {
			s.Closed = append(s.Closed, gate)
		}
	}
	// The gate for flows is what people ask about first.
	slices.SortStableFunc(s.Closed, func(a, b string) int { return cmp.Compare(gates[a], gates[b]) })
	if !slices.Contains(tables, "schema_lock") {
		return s, nil
	}
	held, err := lockState{}.read(ctx, db)
	if err != nil || held.expired() {
		return s, err
	}
	s.Changer = held.holder
	return s, nil
}

func (s *SchemaState) readVersion(ctx context.Context, db *sql.DB) error {
	var version int64
	var dirty uint8
	err := db.QueryRowContext(ctx, `SELECT version, dirty FROM schema_migrations ORDER BY sequence DESC LIMIT 1`).Scan(&version, &dirty)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	s.Version, s.Dirty = int(max(version, 0)), dirty != 0
	return nil
}

// newestVersion is the newest version of the schema that this binary knows.
func newestVersion() (int, error) {
	migrations, err := schema.Source(schema.Options{})
	if err != nil {
		return 0, err
	}
	defer migrations.Close()
	versions, err := allVersions(migrations)
	if err != nil {
		return 0, fmt.Errorf("list the migrations: %w", err)
	}
	return int(versions[len(versions)-1]), nil
}
