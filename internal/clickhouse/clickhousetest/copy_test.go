package clickhousetest

import (
	"database/sql"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// empty returns a client of a new database, and the name of that.
func empty(t *testing.T) (*sql.DB, string) {
	t.Helper()
	name := chdbtest.Database(t)
	return open(t, chhttp.New(chdbtest.Engine(t), chhttp.Options{}), name), name
}

// contents returns what the database called name has, as statements that create it.
func contents(t *testing.T, db *sql.DB, name string) []string {
	t.Helper()
	all, err := read(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	statements := slices.Concat(slices.Sorted(maps.Values(all.functions)), all.tables, all.gates)
	// ClickHouse puts the database in front of a dictionary's name, or not.
	in := strings.NewReplacer("'"+name+".", "'", name+".", template+".")
	for i := range statements {
		statements[i] = in.Replace(statements[i])
	}
	if len(all.tables) < 10 || len(all.gates) != 4 || len(all.functions) < 10 {
		t.Fatalf("%d tables, %d gates and %d functions are not all", len(all.tables), len(all.gates), len(all.functions))
	}
	return statements
}

func TestCopyIsWhatTheMigrationsMake(t *testing.T) {
	var want []string
	t.Run("migrated", func(t *testing.T) {
		db, name := empty(t)
		if err := clickhouse.ConfigureKafka(t.Context(), db, nowhere); err != nil {
			t.Fatal(err)
		}
		if err := clickhouse.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		want = contents(t, db, name)
	})
	check := func(t *testing.T) {
		db, name := empty(t)
		Migrate(t, db, nowhere)
		if diff := cmp.Diff(want, contents(t, db, name)); diff != "" {
			t.Errorf("the copy differs (-migrated +copy):\n%s", diff)
		}
		state, err := clickhouse.ReadSchemaState(t.Context(), db)
		if err != nil || state.Version != state.Newest || state.Dirty || !state.Flows || len(state.Closed) > 0 || state.Changer != "" {
			t.Errorf("the copy is not up to date: %+v, %v", state, err)
		}
	}
	t.Run("copied", check)
	// All databases have the functions in common, also with tests that go back to others.
	for _, change := range []string{"DROP FUNCTION dscpName", "CREATE OR REPLACE FUNCTION macToString AS (mac) -> ''"} {
		chdbtest.Exec(t, change)
	}
	t.Run("copied with other functions", check)
}
