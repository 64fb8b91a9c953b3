// Package load brings the tables of netmeta risinfo into ClickHouse, each as a whole: who asks
// meanwhile, and what stores flows meanwhile, has the table of before.
//
// A table is written beside the one in use, which it replaces in one step. Dictionaries read
// these tables and nothing else. They have no source before there is a table for the first
// time, and each is loaded beside the one in use as well: the view that stores flows asks
// dictionaries, and it must never wait for one, or meet one that is broken.
package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// Tables that are loaded, as as_loads names them.
const (
	Prefixes = "as_prefixes"
	Names    = "as_names"
)

// Loader loads tables into a database, which has the schema. Its methods are not to be called
// at the same time.
type Loader struct {
	db *sql.DB
}

// New returns a Loader for db, which has to be allowed to insert, alter and create
// dictionaries.
func New(db *sql.DB) *Loader { return &Loader{db} }

// Ready says whether the database has the tables: an older schema has none.
func (l *Loader) Ready(ctx context.Context) error {
	var tables int
	err := l.db.QueryRowContext(ctx, `
		SELECT toInt64(count()) FROM system.tables
		WHERE database = currentDatabase() AND name IN ('as_prefixes', 'as_prefixes_next', 'as_names', 'as_names_next', 'as_loads')`).Scan(&tables)
	if err != nil {
		return fmt.Errorf("look for the tables of AS numbers: %w", err)
	}
	if tables < 5 {
		return errors.New("the database has no tables for AS numbers yet: run netmeta migrate")
	}
	return nil
}

// Routes replaces as_prefixes. built is when the sources were read, from tells of what the
// table was made.
func (l *Loader) Routes(ctx context.Context, routes []route.Route, built time.Time, from string) error {
	err := replace(ctx, l, Prefixes, routes, func(row []byte, r route.Route) []byte {
		row = append(row, '\'')
		row = r.Mapped().Addr().AppendTo(row)
		return fmt.Appendf(row, "',%d,%d,%d", r.Bits, r.ASN, r.Peers)
	})
	return l.finish(ctx, Prefixes, len(routes), built, from, err)
}

// Names replaces as_names, as Routes does.
func (l *Loader) Names(ctx context.Context, all []names.Name, built time.Time, from string) error {
	err := replace(ctx, l, Names, all, func(row []byte, n names.Name) []byte {
		return fmt.Appendf(row, "%d,%s,%s", n.ASN, clickhouse.Literal(n.Name), clickhouse.Literal(n.Country))
	})
	return l.finish(ctx, Names, len(all), built, from, err)
}

// atOnce is how many rows are sent to ClickHouse at once: a few MiB.
const atOnce = 50_000

// replace fills the table beside table and puts its rows in the place of table's. Rows are
// sent as text: the embedded engine takes two line breaks for the end of binary ones.
func replace[Row any](ctx context.Context, l *Loader, table string, rows []Row, write func([]byte, Row) []byte) error {
	next := table + "_next"
	if err := l.exec(ctx, `TRUNCATE TABLE `+next); err != nil {
		return err
	}
	// Whatever happens, nothing of it is left to take up space.
	defer l.db.ExecContext(context.WithoutCancel(ctx), `TRUNCATE TABLE `+next)
	var statement []byte
	for batch := range slices.Chunk(rows, atOnce) {
		statement = append(statement[:0], `INSERT INTO `+next+` VALUES `...)
		for i, row := range batch {
			if i > 0 {
				statement = append(statement, ',')
			}
			statement = append(write(append(statement, '('), row), ')')
		}
		if err := l.exec(ctx, string(statement)); err != nil {
			return err
		}
	}
	return l.exec(ctx, `ALTER TABLE `+table+` REPLACE PARTITION tuple() FROM `+next)
}

// finish has the dictionaries of a table read it, and notes how it went.
func (l *Loader) finish(ctx context.Context, table string, rows int, built time.Time, from string, err error) error {
	if err == nil {
		for _, d := range dictionaries {
			if d.table == table {
				err = errors.Join(err, l.reload(ctx, d))
			}
		}
	}
	outcome, message := "loaded", from
	if err != nil {
		outcome, message = "failed", err.Error()
		err = fmt.Errorf("load %s: %w", table, err)
	}
	return errors.Join(err, l.Note(ctx, table, outcome, rows, built, message))
}

// Note adds a row to as_loads.
func (l *Loader) Note(ctx context.Context, table, outcome string, rows int, built time.Time, message string) error {
	// A moment of its own: what took long may have used up ctx.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := l.db.ExecContext(ctx, `INSERT INTO as_loads (Time, Table, Outcome, Rows, Built, Message) VALUES (now64(3), ?, ?, ?, ?, ?)`,
		table, outcome, rows, built.UTC(), message)
	if err != nil {
		return fmt.Errorf("note in as_loads that %s was %s: %w", table, outcome, err)
	}
	return nil
}

// Built returns when the sources of what a table holds were read; zero where it holds
// nothing, or its dictionaries do not read it.
func (l *Loader) Built(ctx context.Context, table string) (built time.Time, err error) {
	for _, d := range dictionaries {
		if d.table != table {
			continue
		}
		active, err := l.active(ctx, d)
		if err != nil || !active {
			return time.Time{}, err
		}
	}
	var n uint64
	err = l.db.QueryRowContext(ctx, `
		SELECT argMax(Built, Time), count() * (SELECT count() > 0 FROM `+table+`)
		FROM as_loads WHERE Table = ? AND Outcome = 'loaded'`, table).Scan(&built, &n)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when %s was loaded: %w", table, err)
	}
	if n == 0 {
		return time.Time{}, nil
	}
	return built, nil
}

func (l *Loader) exec(ctx context.Context, statement string) error {
	if _, err := l.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%.60s: %w", statement, err)
	}
	return nil
}
