package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

const trafficSQL = `SELECT toDateTime('2030-05-01 14:00:00', 'UTC') + number * 60 AS minute, if(number % 2, 'in', 'out') AS direction,
	number * 1000000 AS bps FROM numbers(6) WHERE number != 3 ORDER BY minute`

func TestQueryShowsTheResultInEveryFormat(t *testing.T) {
	url := serveEngine(t, true)
	for _, test := range []struct{ name, output, sql, want string }{
		{"table", "table", "SELECT 'a' AS name, toIPv6('192.0.2.1') AS address, NULL::Nullable(UInt8) AS none, 1234 AS n", "" +
			"name  address    none     n\n" +
			"────  ─────────  ────  ────\n" +
			"a     192.0.2.1  NULL  1234\n" +
			"1 row in "},
		{"CSV", "csv", "SELECT number AS n, 'a,b' AS s FROM numbers(2)", "\"n\",\"s\"\n0,\"a,b\"\n1,\"a,b\"\n"},
		{"JSON", "json", "SELECT number AS n, 'x' AS s FROM numbers(2)", "[\n{\"n\":0,\"s\":\"x\"},\n{\"n\":1,\"s\":\"x\"}\n]\n"},
		{"JSON without rows", "json", "SELECT 1 AS n WHERE 0", "[]\n"},
		{"sparkline", "sparkline", trafficSQL, "" +
			"2030-05-01 14:00:00 to 2030-05-01 14:05:00, a cell is 1 min\n" +
			"             min  max  last\n" +
			"out  ▁·▅·█·    0  4 M   4 M\n" +
			"in   ·▂···█  1 M  5 M   5 M\n"},
		{"bars", "sparkline", "SELECT 64496 + number AS asn, 1500 * (2 - number) AS bytes FROM numbers(2)", "" +
			"64496    3 k  " + strings.Repeat("█", 66) + "\n64497  1.5 k  " + strings.Repeat("█", 33) + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, _, err := execute(t, "query", "--clickhouse", url, "--output", test.output, test.sql)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(stdout, test.want) {
				t.Errorf("got\n%s\nwant\n%s", stdout, test.want)
			}
		})
	}
}

func TestQueryWithAFormatOfItsOwnIsPassedOn(t *testing.T) {
	url := serveEngine(t, true)
	stdout, _, err := execute(t, "query", "--clickhouse", url, "SELECT 1 AS a FORMAT Vertical")
	if err != nil || !strings.Contains(stdout, "Row 1:") {
		t.Errorf("got %q, %v, want what ClickHouse writes", stdout, err)
	}
	_, _, err = execute(t, "query", "--clickhouse", url, "--output", "csv", "SELECT 1 FORMAT Vertical")
	if err == nil || !strings.Contains(err.Error(), "the SQL has FORMAT Vertical") {
		t.Errorf("--output beside FORMAT: got %v, want a refusal", err)
	}
}

func TestQueryParametersStayValues(t *testing.T) {
	url := serveEngine(t, false)
	chdbtest.Exec(t, "CREATE TABLE IF NOT EXISTS "+strings.ToLower(t.Name())+".kept (x UInt8) ENGINE = Memory")
	for _, value := range []string{
		"'; DROP TABLE kept; --", `\'; DROP TABLE kept; --`, "tab\tand\nline", `\N`, `back\slash \t`, "", "a=b&param_v=c", "{v:String}", "ünï/☃",
	} {
		stdout, _, err := execute(t, "query", "--clickhouse", url, "--output", "json", "--param", "v="+value,
			"SELECT {v:String} AS v, (SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'kept') AS kept")
		var rows []struct {
			V    string
			Kept int
		}
		if err != nil || json.Unmarshal([]byte(stdout), &rows) != nil || len(rows) != 1 || rows[0].V != value || rows[0].Kept != 1 {
			t.Errorf("%q: got %s, %v", value, stdout, err)
		}
	}
	_, _, err := execute(t, "query", "--clickhouse", url, "--param", "n=1 OR 1", "SELECT {n:UInt8}")
	if err == nil {
		t.Error("an expression was taken for a number")
	}
}

func TestQueryIsReadFromWhereItIs(t *testing.T) {
	url := serveEngine(t, true)
	file := filepath.Join(t.TempDir(), "q.sql")
	if err := os.WriteFile(file, []byte("-- a comment\nSELECT 'from a file' AS s;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := execute(t, "query", "--clickhouse", url, "--output", "csv", "--file", file)
	if err != nil || !strings.Contains(stdout, "from a file") {
		t.Errorf("--file: got %q, %v", stdout, err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p := process{proctest.StartWith(t, func(c *exec.Cmd) {
		c.Stdin = in
		c.Env = append(c.Env, "NETMETA_CLICKHOUSE="+url)
	}, "query", "--output", "csv")}
	if code := p.wait(t); code != 0 || !strings.Contains(p.Log.String(), "from a file") {
		t.Errorf("standard input and NETMETA_CLICKHOUSE: exit code %d: %s", code, p.Log)
	}
}

func TestQueryErrorsAreOneLineWithWhatToDo(t *testing.T) {
	url := serveEngine(t, true)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown table", []string{"SELECT * FROM flows_raw"}, "(code 60, UNKNOWN_TABLE): SHOW TABLES lists what there is; netmeta migrate"},
		{"unknown column", []string{"SELECT nothing FROM system.one"}, "(code 47, UNKNOWN_IDENTIFIER): DESCRIBE"},
		{"syntax", []string{"SELECT 1 +"}, "(code 62, SYNTAX_ERROR)"},
		{"two statements", []string{"SELECT 1; SELECT 2"}, "Multi-statements are not allowed"},
		{"write", []string{"CREATE TABLE t (x UInt8) ENGINE = Memory"}, "this access only reads"},
		{"parameter without value", []string{"SELECT {x:UInt8}"}, "give it with --param"},
		{"time", []string{"--max-time", "200ms", "SELECT sum(sleepEachRow(0.01)) FROM numbers(1000) SETTINGS max_block_size = 1"}, "TIMEOUT_EXCEEDED): ask for less time"},
		{"memory", []string{"SELECT uniqExact(number) FROM numbers(10000000) SETTINGS max_memory_usage = 10000000"}, "MEMORY_LIMIT_EXCEEDED): ask for less time"},
		{"behind data", []string{"--output", "csv", "SELECT throwIf(number = 900000) FROM numbers(1000000)"}, "(code 395, FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)"},
		{"behind data, as a table", []string{"SELECT throwIf(number = 900000) FROM numbers(1000000)"}, "(code 395, "},
		{"no such format", []string{"--output", "xml", "SELECT 1"}, "must be table, csv, json or sparkline"},
		{"bad parameter", []string{"--param", "x", "SELECT 1"}, "must be NAME=VALUE"},
		{"nothing to draw", []string{"--output", "sparkline", "SELECT 'a' AS s"}, "needs a column of numbers"},
		{"nothing at all", []string{" \n"}, "no SQL"},
		{"nobody listens", []string{"--clickhouse", "http://a:secret@127.0.0.1:1", "SELECT 1"}, "cannot be reached: dial tcp 127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, _, err := execute(t, append([]string{"query", "--clickhouse", url}, test.args...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) || exitStatus(err) != 1 {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if text := err.Error(); strings.Contains(text, "\n") || strings.Contains(text, "secret") || strings.Contains(text, "DB::Exception") || strings.Contains(text, "(version") {
				t.Errorf("not a readable line: %s", text)
			}
			if strings.Contains(stdout, "exception") {
				t.Errorf("the exception is in the result: %q", stdout[max(0, len(stdout)-300):])
			}
		})
	}
}

func TestLargeCSVIsWholeAndHasOneHeader(t *testing.T) {
	url := serveEngine(t, true)
	stdout, _, err := execute(t, "query", "--clickhouse", url, "--output", "csv", "SELECT number AS n, repeat('x', 20) AS s FROM numbers(500000)")
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(records) != 500001 || records[0][0] != "n" || records[500000][0] != "499999" {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// slowSQL runs for minutes. Its comment finds it in system.processes.
const slowSQL = "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10 -- slow "

func slowRuns(t *testing.T, url string) bool {
	t.Helper()
	stdout, _, err := execute(t, "query", "--clickhouse", url, "--output", "csv",
		"SELECT count() AS n FROM system.processes WHERE query LIKE concat('%-- ', 'slow "+t.Name()+"%')")
	if err != nil {
		t.Fatal(err)
	}
	return stdout == "\"n\"\n1\n"
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func TestInterruptCancelsTheQueryInClickHouse(t *testing.T) {
	for name, readOnly := range map[string]bool{"read-only": true, "read-write": false} {
		t.Run(name, func(t *testing.T) {
			url := serveEngine(t, readOnly)
			p := launch(t, "query", "--clickhouse", url, slowSQL+t.Name())
			waitFor(t, "the query runs", func() bool { return slowRuns(t, url) })
			if err := p.Cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if code := p.wait(t); code != 130 || !strings.Contains(p.Log.String(), "the query was cancelled\n") {
				t.Errorf("exit code %d, want 130 and that it was cancelled:\n%s", code, p.Log)
			}
			if slowRuns(t, url) {
				t.Error("the query still runs")
			}
		})
	}
}

func TestQueryShowsProgressOnATerminalAndErasesIt(t *testing.T) {
	url := serveEngine(t, true)
	p := launchOnTerminal(t, "query", "--clickhouse", url, "SELECT sum(sleepEachRow(0.01)) AS s FROM numbers(150) SETTINGS max_block_size = 5")
	p.find(t, `█░* \d+ of 150 rows, [\d.]+/s, [\d.]+ s`)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	shown := p.find(t, `(?s)(.*1 row in .*read 150 rows.*)`)
	if erased, table := strings.LastIndex(shown, "\r\x1b[K"), strings.Index(shown, "s\r\n─"); erased < 0 || table < erased {
		t.Errorf("the progress is not erased before the table:\n%q", shown)
	}
	quiet := launchOnTerminal(t, "query", "--no-progress", "--clickhouse", url, "SELECT sleep(1)")
	quiet.find(t, `1 row in`)
	if strings.Contains(quiet.Log.String(), "\x1b") {
		t.Errorf("with --no-progress: %q", quiet.Log)
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	url := serveEngine(t, true)
	p := launchOnTerminal(t, "query", "--limit", "1", "--clickhouse", url, "SELECT repeat('x', 200) AS long, number FROM numbers(3)")
	shown := p.find(t, `(?s)(.*3 rows in .*)`)
	if !strings.Contains(shown, strings.Repeat("x", 89)+"…  ") || !strings.Contains(shown, "… and 2 rows more") {
		t.Errorf("not cut to 100 cells:\n%s", shown)
	}
}
