package clickhousetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// Migrate gives an empty database what clickhouse.Migrate does, and reads from kafka: it
// creates what the first call in this process got from the migrations, as ClickHouse
// itself does when it is started again, which takes a tenth of the time.
func Migrate(t testing.TB, db *sql.DB, kafka clickhouse.Kafka) {
	t.Helper()
	schema, err := migratedOnce(chdbtest.Engine(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.ConfigureKafka(t.Context(), db, kafka); err != nil {
		t.Fatal(err)
	}
	if err := schema.create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

// definitions are what a migrated database has, as statements that create it.
type definitions struct {
	functions map[string]string // of the server, by name
	tables    []string          // and views, where template stands for the database
	gates     []string          // come last: what they let through finds everything in its place
	version   int64
}

// template is the database that is migrated once.
const template = "netmeta_template"

// nowhere is a Kafka where nothing listens: the consumers of a template would be taken for
// members of the group of those that come after.
var nowhere = clickhouse.Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: "flow-messages", CountersTopic: "interface-counters", Group: "test"}

var once struct {
	sync.Mutex
	schema *definitions
}

func migratedOnce(engine *chdb.Engine) (*definitions, error) {
	once.Lock()
	defer once.Unlock()
	if once.schema != nil {
		return once.schema, nil
	}
	ctx := context.Background()
	if err := engine.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return nil, err
	}
	server := httptest.NewServer(chhttp.New(engine, chhttp.Options{}))
	defer server.Close()
	db, err := clickhouse.Open(server.URL + "/" + template)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := clickhouse.ConfigureKafka(ctx, db, nowhere); err != nil {
		return nil, err
	}
	if err := clickhouse.Migrate(ctx, db); err != nil {
		return nil, err
	}
	schema, err := read(ctx, db)
	if err != nil {
		return nil, err
	}
	once.schema = schema
	return schema, engine.Exec(ctx, "DROP DATABASE "+template+" SYNC")
}

// read reads the definitions of db's database.
func read(ctx context.Context, db *sql.DB) (*definitions, error) {
	schema := &definitions{}
	var err error
	if schema.functions, err = functions(ctx, db); err != nil {
		return nil, err
	}
	err = db.QueryRowContext(ctx, `
		SELECT groupArrayIf(create_table_query, NOT endsWith(name, '_gate')), groupArrayIf(create_table_query, endsWith(name, '_gate'))
		FROM (SELECT * FROM system.tables WHERE database = currentDatabase() ORDER BY endsWith(engine, 'View'), name)`).Scan(&schema.tables, &schema.gates)
	if err != nil {
		return nil, fmt.Errorf("read the definitions of tables: %w", err)
	}
	if err := db.QueryRowContext(ctx, `SELECT argMax(version, sequence) FROM schema_migrations`).Scan(&schema.version); err != nil {
		return nil, fmt.Errorf("read the version of the schema: %w", err)
	}
	return schema, nil
}

func functions(ctx context.Context, db *sql.DB) (all map[string]string, err error) {
	err = db.QueryRowContext(ctx, `SELECT mapFromArrays(groupArray(name), groupArray(create_query)) FROM system.functions WHERE origin = 'SQLUserDefined'`).Scan(&all)
	if err != nil {
		return nil, fmt.Errorf("read the definitions of functions: %w", err)
	}
	return all, nil
}

// create makes everything in db's database.
func (d *definitions) create(ctx context.Context, db *sql.DB) error {
	// Functions are there, unless a test has gone back to another version.
	there, err := functions(ctx, db)
	if err != nil {
		return err
	}
	for name, create := range d.functions {
		if there[name] == create {
			continue
		}
		if _, err := db.ExecContext(ctx, strings.Replace(create, "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)); err != nil {
			return fmt.Errorf("create function %s: %w", name, err)
		}
	}
	if err := createTables(ctx, db, d.tables); err != nil {
		return err
	}
	if err := createTables(ctx, db, d.gates); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `INSERT INTO schema_migrations (version, dirty, sequence) VALUES (?, 0, ?)`, d.version, time.Now().UnixNano())
	return err
}

// createTables creates views behind what they read, which may be other views.
func createTables(ctx context.Context, db *sql.DB, statements []string) error {
	var database string
	if err := db.QueryRowContext(ctx, `SELECT currentDatabase()`).Scan(&database); err != nil {
		return err
	}
	for len(statements) > 0 {
		var again []string
		var failed error
		for _, create := range statements {
			if _, err := db.ExecContext(ctx, strings.ReplaceAll(create, template+".", database+".")); err != nil {
				again, failed = append(again, create), errors.Join(failed, err)
			}
		}
		if len(again) == len(statements) {
			return fmt.Errorf("create tables: %w", failed)
		}
		statements = again
	}
	return nil
}
