package chdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// engine is the one engine of this test binary; engineErr says why there is none.
var (
	engine    *Engine
	engineErr error
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		lib, err := Find("")
		if err != nil {
			engineErr = fmt.Errorf("%w (scripts/test.sh installs it too)", err)
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "netmeta-chdb-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if engine, engineErr = Open(lib, dir, Options{
			Settings: map[string]string{"max_partitions_per_insert_block": "7", "format_csv_null_representation": "<&>"},
			Server:   map[string]string{"max_server_memory_usage": "4000000000"},
		}); engineErr == nil {
			defer engine.Close()
		}
		return m.Run()
	}())
}

func testEngine(t *testing.T) *Engine {
	t.Helper()
	if engineErr != nil {
		t.Fatal(engineErr)
	}
	return engine
}

// database creates an empty database for one test.
func database(t *testing.T) string {
	t.Helper()
	name := strings.NewReplacer("/", "_", "-", "_").Replace(strings.ToLower(t.Name()))
	exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(t, "DROP DATABASE "+name+" SYNC") })
	return name
}

func exec(t *testing.T, sql string) {
	t.Helper()
	if err := testEngine(t).Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func ask(q Query) (string, error) {
	r, err := engine.Query(context.Background(), q)
	if err != nil {
		return "", err
	}
	defer r.Close()
	out, err := io.ReadAll(r)
	return strings.TrimSuffix(string(out), "\n"), err
}

func code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return -1
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func TestQueryAnswers(t *testing.T) {
	testEngine(t)
	for _, c := range []struct {
		promise string
		q       Query
		want    string
	}{
		{"a select is streamed", Query{SQL: []byte("SELECT 1 + 1")}, "2"},
		{"what cannot be streamed is answered whole", Query{SQL: []byte("EXISTS DATABASE default")}, "1"},
		{"the format can be chosen", Query{SQL: []byte("SELECT 1 AS x"), Format: "JSONEachRow"}, `{"x":1}`},
		{"the statement's format wins", Query{SQL: []byte("SELECT 1 AS x FORMAT CSV"), Format: "JSONEachRow"}, "1"},
		{"footers of a streamed format arrive", Query{SQL: []byte("SELECT number FROM numbers(3)"), Format: "JSONCompact",
			Settings: map[string]string{"output_format_json_quote_64bit_integers": "0", "output_format_write_statistics": "0"}},
			"{\n\t\"meta\":\n\t[\n\t\t{\n\t\t\t\"name\": \"number\",\n\t\t\t\"type\": \"UInt64\"\n\t\t}\n\t],\n\n\t\"data\":\n\t[\n\t\t[0],\n\t\t[1],\n\t\t[2]\n\t],\n\n\t\"rows\": 3\n}"},
		{"the database is used", Query{SQL: []byte("SELECT currentDatabase()"), Database: "system"}, "system"},
		{"settings are used", Query{SQL: []byte("SELECT getSetting('max_threads')"), Settings: map[string]string{"max_threads": "3"}}, "3"},
		{"a setting's value is a value", Query{SQL: []byte("SELECT getSetting('format_csv_null_representation')"),
			Settings: map[string]string{"format_csv_null_representation": "', readonly = '0"}}, "', readonly = '0"},
		{"parameters are values", Query{SQL: []byte("SELECT {a:String}, {b:UInt8} + 1"), Params: map[string]string{"a": "'); DROP DATABASE default; --", "b": "2"}},
			"'); DROP DATABASE default; --\t3"},
		{"settings of the engine hold for queries", Query{SQL: []byte("SELECT getSetting('max_partitions_per_insert_block')")}, "7"},
		{"settings of the engine may have any value", Query{SQL: []byte("SELECT getSetting('format_csv_null_representation')")}, "<&>"},
		{"settings of the server hold", Query{SQL: []byte("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")}, "4000000000"},
		{"what NetMeta needs is set", Query{SQL: []byte("SELECT value FROM system.server_settings WHERE name = 'display_secrets_in_show_and_select'")}, "1"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			for _, readOnly := range []bool{false, true} {
				c.q.ReadOnly = readOnly
				got, err := ask(c.q)
				if err != nil || strings.ReplaceAll(got, `\'`, `'`) != c.want {
					t.Errorf("readOnly=%v: got %q, %v, want %q", readOnly, got, err, c.want)
				}
			}
		})
	}
}

func TestErrorsCarryTheCode(t *testing.T) {
	testEngine(t)
	for _, c := range []struct {
		promise, sql, database string
		settings               map[string]string
		want                   int
	}{
		{"unknown table", "SELECT * FROM nowhere", "", nil, 60},
		{"unknown column", "SELECT nothing", "", nil, 47},
		{"syntax error", "SELEC 1", "", nil, CodeSyntaxError},
		{"empty query", "", "", nil, CodeSyntaxError},
		{"unknown database", "SELECT 1", "nowhere", nil, 81},
		{"unknown setting", "SELECT 1", "", map[string]string{"no_such_setting": "1"}, 115},
		{"a setting's name cannot break out", "SELECT 1", "", map[string]string{"a = 1, readonly": "0"}, 115},
		{"error in the middle of the data", "SELECT throwIf(number = 1000000) FROM numbers(2000000)", "", nil, 395},
		{"missing parameter", "SELECT {a:UInt8}", "", nil, 456},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := ask(Query{SQL: []byte(c.sql), Database: c.database, Settings: c.settings, ReadOnly: true})
			if code(err) != c.want {
				t.Errorf("got %v, want code %d", err, c.want)
			}
		})
	}
}

func TestSessionsAreIsolated(t *testing.T) {
	testEngine(t)
	for _, change := range []string{"USE system", "SET max_threads = 1", "CREATE TEMPORARY TABLE left_behind (a UInt8)"} {
		exec(t, change)
	}
	if got, err := ask(Query{SQL: []byte("SELECT currentDatabase(), getSetting('max_threads') = 1")}); err != nil || got != "default\t0" {
		t.Errorf("database and max_threads of the next query: %q, %v", got, err)
	}
	if _, err := ask(Query{SQL: []byte("SELECT * FROM left_behind")}); code(err) != 60 {
		t.Errorf("temporary table of another query: got %v, want code 60", err)
	}
}

func TestCancelledQueryLeavesTheEngine(t *testing.T) {
	testEngine(t)
	for _, c := range []struct{ promise, sql string }{
		{"before the first block", "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10 -- cancel me"},
		{"between blocks", "SELECT sleepEachRow(0.01) FROM numbers(100000) SETTINGS max_block_size = 10 -- cancel me"},
		{"in a statement that is not streamed", "INSERT INTO FUNCTION null('x UInt8') SELECT sleepEachRow(0.01) FROM numbers(100000) SETTINGS max_block_size = 10 -- cancel me"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			failed := make(chan error, 1)
			go func() {
				r, err := engine.Query(ctx, Query{SQL: []byte(c.sql)})
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				failed <- err
			}()
			running := func() string {
				n, err := ask(Query{SQL: []byte("SELECT count() FROM system.processes WHERE endsWith(query, concat('cancel', ' me'))")})
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			eventually(t, "the query runs", func() bool { return running() == "1" })
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			eventually(t, "the query is gone", func() bool { return running() == "0" })
		})
	}
}

func TestConcurrentQueries(t *testing.T) {
	testEngine(t)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 25 {
				want := fmt.Sprint(worker*1000 + i)
				got, err := ask(Query{SQL: []byte("SELECT {n:UInt32} FROM numbers(1)"), Params: map[string]string{"n": want}, ReadOnly: i%2 == 0})
				if err != nil || got != want {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			}
		})
	}
	wait.Wait()
}

func TestSecondOpenFails(t *testing.T) {
	testEngine(t)
	if _, err := Open("libchdb.so", t.TempDir(), Options{}); !errors.Is(err, ErrOpened) {
		t.Errorf("got %v, want ErrOpened", err)
	}
}

func TestDirectoryThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(filepath.Join(file, "data"), Options{}); !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: got %v", err)
	}
	if _, err := prepare(t.TempDir(), Options{Settings: map[string]string{"a><b": "1"}}); err == nil {
		t.Error("a setting's name broke out of the configuration")
	}
}

func TestSignalsArriveInGo(t *testing.T) {
	testEngine(t)
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGTERM)
	defer signal.Stop(arrived)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-arrived:
	case <-time.After(30 * time.Second):
		t.Error("SIGTERM did not arrive")
	}
}

// BenchmarkQuery measures what a query costs besides its work: its connection,
// the settings and the analysis of its text.
func BenchmarkQuery(b *testing.B) {
	if engineErr != nil {
		b.Fatal(engineErr)
	}
	for _, sql := range []string{"SELECT 1", "SELECT 'a file' -- is analysed closer"} {
		b.Run(sql, func(b *testing.B) {
			for b.Loop() {
				if _, err := ask(Query{SQL: []byte(sql), ReadOnly: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestNilDereferenceIsAPanic(t *testing.T) {
	testEngine(t)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var nothing *Error
	_ = nothing.Message
}
