package console

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"github.com/leoluk/NetMeta/doc"
	"github.com/leoluk/NetMeta/internal/examples"
)

// schemaAge is how long the schema is given to others: it changes with releases.
const schemaAge = time.Minute

// sqlSchema is what somebody can write into a statement.
type sqlSchema struct {
	Tables    []schemaTable    `json:"tables"`
	Functions []schemaFunction `json:"functions"`
	Examples  []schemaExample  `json:"examples"`
}

type schemaTable struct {
	Name    string         `json:"name"`
	Comment string         `json:"comment"`
	Columns []schemaColumn `json:"columns"`
}

type schemaColumn struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment"`
}

// schemaFunction is one of NetMeta, with a description, or one of ClickHouse.
type schemaFunction struct {
	Name        string `json:"name"`
	Arguments   string `json:"arguments"`
	Returns     string `json:"returns"`
	Description string `json:"description"`
	Example     string `json:"example"`
}

type schemaExample struct {
	Title string `json:"title"`
	SQL   string `json:"sql"`
}

// columnsQuery leaves out tables that only pass on what comes from Kafka, and what
// the migrations keep for themselves.
const columnsQuery = `
SELECT c.table, t.comment, c.name, c.type, c.comment
FROM system.columns AS c
JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase()
    AND NOT match(c.table, '(_queue|_received|_gate|_view)$')
    AND c.table NOT IN ('schema_migrations')
    AND NOT startsWith(c.table, '.inner')
ORDER BY c.table, c.position`

const functionsQuery = `
SELECT Function, Arguments, Returns, Description, Example
FROM functions
ORDER BY Function`

const namesQuery = `
SELECT name
FROM system.functions
WHERE origin = 'System' AND alias_to = '' AND NOT startsWith(name, '__')
ORDER BY name`

func (a *api) serveSchema(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, "schema", schemaAge, func(ctx context.Context) (any, error) {
		return a.database.schema(ctx)
	})
}

func (d database) schema(ctx context.Context) (sqlSchema, error) {
	s := sqlSchema{Tables: []schemaTable{}, Functions: []schemaFunction{}, Examples: []schemaExample{}}
	err := d.rows(ctx, "the columns", columnsQuery, nil, func(rows *sql.Rows) error {
		var table, comment string
		var c schemaColumn
		if err := rows.Scan(&table, &comment, &c.Name, &c.Type, &c.Comment); err != nil {
			return err
		}
		if n := len(s.Tables); n == 0 || s.Tables[n-1].Name != table {
			s.Tables = append(s.Tables, schemaTable{Name: table, Comment: comment})
		}
		last := &s.Tables[len(s.Tables)-1]
		last.Columns = append(last.Columns, c)
		return nil
	})
	if err != nil {
		return s, err
	}
	err = d.rows(ctx, "NetMeta's functions", functionsQuery, nil, func(rows *sql.Rows) error {
		var f schemaFunction
		defer func() { s.Functions = append(s.Functions, f) }()
		return rows.Scan(&f.Name, &f.Arguments, &f.Returns, &f.Description, &f.Example)
	})
	if err != nil {
		return s, err
	}
	err = d.rows(ctx, "ClickHouse's functions", namesQuery, nil, func(rows *sql.Rows) error {
		var f schemaFunction
		defer func() { s.Functions = append(s.Functions, f) }()
		return rows.Scan(&f.Name)
	})
	if err != nil {
		return s, err
	}
	s.Examples, err = sqlExamples()
	return s, err
}

// sqlExamples are the questions of doc/sql.md, which the tests run.
func sqlExamples() ([]schemaExample, error) {
	parsed, err := examples.Parse(doc.SQL)
	if err != nil {
		return nil, fmt.Errorf("read the examples of doc/sql.md: %w", err)
	}
	all := make([]schemaExample, len(parsed))
	for i, e := range parsed {
		all[i] = schemaExample{e.Question + "?", e.Query}
	}
	return all, nil
}
