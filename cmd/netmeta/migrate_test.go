package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// serveEngine serves the HTTP interface of the engine that all tests share, as it is
// for people or read-write, and returns its URL with an empty database.
func serveEngine(t *testing.T, readOnly bool) string {
	t.Helper()
	server := httptest.NewServer(chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: readOnly}))
	t.Cleanup(server.Close)
	return server.URL + "/" + chdbtest.Database(t)
}

func TestMigrateCreatesTheSchemaOnce(t *testing.T) {
	url := serveEngine(t, false)
	// They are the server's, not the database's: another test may have left them.
	for _, collection := range clickhouse.Collections {
		chdbtest.Exec(t, "DROP NAMED COLLECTION IF EXISTS "+collection)
	}
	code, written := run(t, "migrate", "--clickhouse", url)
	if code != 1 || !strings.Contains(written, "give --kafka") {
		t.Errorf("without Kafka settings: exit code %d, want 1 and what to give:\n%s", code, written)
	}
	for attempt := range 2 {
		code, written := run(t, "migrate", "--clickhouse", url, "--kafka", "127.0.0.1:1", "--retention", "240h")
		if code != 0 || !strings.Contains(written, "the schema is up to date") {
			t.Errorf("attempt %d: exit code %d:\n%s", attempt+1, code, written)
		}
		if logged := strings.Contains(written, "schema: migrated version=1 name=flows_raw\n"); logged != (attempt == 0) {
			t.Errorf("attempt %d: migration 1 was logged: %v, want it the first time only:\n%s", attempt+1, logged, written)
		}
	}
	db, err := clickhouse.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var definition string
	if err := db.QueryRow("SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'").Scan(&definition); err != nil {
		t.Fatal(err)
	}
	if want := "TimeReceived + toIntervalSecond(864000)"; !strings.Contains(definition, want) {
		t.Errorf("flows_raw does not end rows with the retention %q:\n%s", want, definition)
	}
	code, written = run(t, "migrate", "--clickhouse", url, "--retention", "1m")
	if code != 1 || !strings.Contains(written, "--retention: retention of 1m0s is too short") {
		t.Errorf("retention of a minute: exit code %d, want 1 and why:\n%s", code, written)
	}
}

func TestMigrateSaysWhatToDoWithoutShowingThePassword(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-ClickHouse-Exception-Code", "516")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintln(w, "Code: 516. DB::Exception: admin: Authentication failed")
	}))
	defer refusing.Close()
	for _, test := range []struct{ name, address, want string }{
		{"nothing listens", "http://admin:secret@127.0.0.1:1/default", "cannot be reached: dial tcp 127.0.0.1:1"},
		{"no such host", "http://admin:secret@host.invalid:8123/default", "cannot be reached: dial tcp: lookup host.invalid"},
		{"without scheme", "admin:secret@127.0.0.1:1", "its HTTP interface, usually port 8123"},
		{"native protocol", "clickhouse://admin:secret@127.0.0.1:9000", "not http or https"},
		{"wrong password", strings.Replace(refusing.URL, "://", "://admin:secret@", 1), "Authentication failed (check the user, password"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := execute(t, "migrate", "--clickhouse", test.address, "--kafka", "127.0.0.1:1")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestMigrateShowsWhatItWouldDoAndRefusesToLoseRows(t *testing.T) {
	url := serveEngine(t, false)
	stdout, _, err := execute(t, "migrate", "--clickhouse", url, "--dry-run")
	if err != nil || !strings.HasPrefix(stdout, "-- 0001 flows_raw\nCREATE TABLE") || !strings.Contains(stdout, ";\n\n-- 0006 flows\n") {
		t.Errorf("--dry-run of an empty database: %v\n%s", err, stdout)
	}
	if tables, _, err := execute(t, "query", "--clickhouse", url, "--output", "json", "SHOW TABLES"); err != nil || tables != "[]\n" {
		t.Errorf("--dry-run has made %s, %v", tables, err)
	}
	if _, _, err := execute(t, "migrate", "--clickhouse", url, "--kafka", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, err := execute(t, "migrate", "--clickhouse", url, "--dry-run"); err != nil || stdout != "" || !strings.Contains(stderr, "up to date") {
		t.Errorf("--dry-run of the newest version: %q, %q, %v", stdout, stderr, err)
	}
	if _, _, err := execute(t, "query", "--clickhouse", url, "INSERT INTO interface_counters (TimeReceived) SELECT now() FROM numbers(1234)"); err != nil {
		t.Fatal(err)
	}
	_, _, err = execute(t, "migrate", "--clickhouse", url, "--to", "6")
	if err == nil || !strings.Contains(err.Error(), "table interface_counters with 1,234 rows (migration 16)") {
		t.Errorf("--to 6: got %v, want a refusal that names the table and its rows", err)
	}
	if left, _, err := execute(t, "query", "--clickhouse", url, "--output", "csv", "SELECT count() AS n FROM interface_counters"); err != nil || left != "\"n\"\n1234\n" {
		t.Errorf("after the refusal: %q, %v", left, err)
	}
	if _, _, err := execute(t, "migrate", "--clickhouse", url, "--to", "6", "--force"); err != nil {
		t.Errorf("--force: %v", err)
	}
	if _, _, err := execute(t, "migrate", "--clickhouse", url, "--to", "9999"); err == nil || !strings.Contains(err.Error(), "knows versions 1 to") {
		t.Errorf("--to 9999: got %v", err)
	}
}
