package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize"
)

// Loss is what a step would take from the database for good.
type Loss struct {
	Step   Step
	Table  string
	Column string // empty: the table itself
	Rows   uint64 // that are lost, or hold something in the column
	Reason string // instead of the others, where it cannot be told
}

func (l Loss) String() string {
	rows := humanize.Comma(int64(l.Rows)) + " rows"
	have := " have"
	if l.Rows == 1 {
		rows, have = "1 row", " has"
	}
	switch {
	case l.Reason != "":
		return fmt.Sprintf("migration %d (%s): %s", l.Step.Version, l.Step.Name, l.Reason)
	case l.Column != "":
		return fmt.Sprintf("column %s of table %s, in which %s a value (migration %d)", l.Column, l.Table, rows+have, l.Step.Version)
	}
	return fmt.Sprintf("table %s with %s (migration %d)", l.Table, rows, l.Step.Version)
}

// The statements that take migrations back, by what they may cost. One that is none of
// them counts as a loss, so that a new one has to be thought about.
var (
	sqlComment = regexp.MustCompile(`(?m)^\s*--.*$`)
	dropTable  = regexp.MustCompile(`(?i)^DROP TABLE (?:IF EXISTS )?(\w+)(?: SYNC)?$`)
	alterTable = regexp.MustCompile(`(?is)^ALTER TABLE (\w+)\s+(.*)$`)
	madeAnew   = regexp.MustCompile(`(?is)^CREATE OR REPLACE TABLE (\w+)\s.*\sAS SELECT \* FROM (\w+)$`)
	dropColumn = regexp.MustCompile("(?i)^DROP COLUMN (?:IF EXISTS )?`?(\\w+)`?$")
	comment    = regexp.MustCompile(`(?i)^COMMENT COLUMN\s`)
	// What holds no rows (views, the Kafka tables), or changes none.
	costsNothing = regexp.MustCompile(`(?is)^(?:DROP (?:VIEW|FUNCTION|DICTIONARY)\s|CREATE OR REPLACE FUNCTION\s|CREATE (?:OR REPLACE )?(?:MATERIALIZED )?VIEW\s|CREATE OR REPLACE TABLE \w+_queue\s|ALTER TABLE \w+_view MODIFY QUERY\s|ALTER TABLE \w+\s+(?:MODIFY COMMENT\s|RESET SETTING\s|(?:DROP|CLEAR) (?:INDEX|PROJECTION)\s))`)
)

// effect is what a statement drops.
type effect struct {
	table   string
	columns []string // empty: all of the table
}

// effectOf tells what the statement of a step drops, and whether it is known.
func effectOf(statement string) (e effect, known bool) {
	statement = strings.TrimSpace(sqlComment.ReplaceAllString(statement, ""))
	if costsNothing.MatchString(statement) {
		return effect{}, true
	}
	if match := dropTable.FindStringSubmatch(statement); match != nil {
		return effect{table: match[1]}, true
	}
	if match := madeAnew.FindStringSubmatch(statement); match != nil && match[1] == match[2] {
		return effect{}, true // it keeps its rows
	}
	match := alterTable.FindStringSubmatch(statement)
	if match == nil {
		return effect{}, false
	}
	e.table = match[1]
	for part := range strings.SplitSeq(match[2], ",") {
		part = strings.TrimSpace(part)
		if comment.MatchString(part) {
			continue
		}
		column := dropColumn.FindStringSubmatch(part)
		if column == nil {
			return effect{}, false
		}
		e.columns = append(e.columns, column[1])
	}
	if len(e.columns) == 0 {
		return effect{}, true // comments alone
	}
	return e, true
}

// Losses returns what steps would take from the database: tables with rows, and columns
// that are not empty, those of dropped tables left out. It only reads; with columns to
// look at, all of their rows.
func Losses(ctx context.Context, db *sql.DB, steps []Step) (losses []Loss, err error) {
	dropped := map[string]bool{}
	for _, step := range steps {
		if e, known := effectOf(step.SQL); step.Down && known && len(e.columns) == 0 {
			dropped[e.table] = true
		}
	}
	for _, step := range steps {
		if !step.Down {
			continue
		}
		e, known := effectOf(step.SQL)
		var more []Loss
		switch {
		case !known:
			more = []Loss{{Step: step, Reason: "it cannot be told what its statement would lose"}}
		case len(e.columns) > 0 && !dropped[e.table]:
			more, err = columnLosses(ctx, db, step, e)
		case len(e.columns) == 0 && e.table != "":
			more, err = tableLoss(ctx, db, step, e.table)
		}
		if err != nil {
			return nil, fmt.Errorf("find out what taking back migration %d would lose: %w", step.Version, err)
		}
		losses = append(losses, more...)
	}
	return losses, nil
}

// tableLoss counts the rows of a table. One that only passes on what it is given, from
// Kafka for example, has none. What flows_raw still has of a rollup is not lost:
// RepairRollups brings it back.
func tableLoss(ctx context.Context, db *sql.DB, step Step, table string) ([]Loss, error) {
	var rows uint64
	err := db.QueryRowContext(ctx, `SELECT sum(ifNull(total_rows, 0)) FROM system.tables WHERE database = currentDatabase() AND name = ?`, table).Scan(&rows)
	if err != nil || rows == 0 {
		return nil, err
	}
	if isRollup(table) {
		err = db.QueryRowContext(ctx, `SELECT count() FROM `+table+` WHERE toDate(TimeReceived) NOT IN (SELECT toDate(TimeReceived) FROM flows_raw)`).Scan(&rows)
		if err != nil || rows == 0 {
			return nil, err
		}
	}
	return []Loss{{Step: step, Table: table, Rows: rows}}, nil
}

// columnLosses counts the rows that have something else than nothing in columns.
func columnLosses(ctx context.Context, db *sql.DB, step Step, e effect) ([]Loss, error) {
	names, counts := []string{}, []string{}
	rows, err := db.QueryContext(ctx, `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = ? AND has(?, name)`, e.table, e.columns)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
		counts = append(counts, fmt.Sprintf("countIf(`%s` != defaultValueOfArgumentType(`%s`))", name, name))
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		return nil, err
	}
	var used []uint64
	if err := db.QueryRowContext(ctx, `SELECT [`+strings.Join(counts, ", ")+`] FROM `+e.table).Scan(&used); err != nil {
		return nil, err
	}
	var losses []Loss
	for i, name := range names {
		if used[i] > 0 {
			losses = append(losses, Loss{Step: step, Table: e.table, Column: name, Rows: used[i]})
		}
	}
	return losses, nil
}
