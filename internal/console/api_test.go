package console

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// answered is an answer of the API, of whatever kind.
type answered struct {
	status    int
	Columns   []column            `json:"columns"`
	Rows      [][]any             `json:"rows"`
	SQL       string              `json:"sql"`
	Interval  float64             `json:"interval"`
	RowsRead  uint64              `json:"rows_read"`
	Truncated bool                `json:"truncated"`
	Options   []map[string]string `json:"options"`
	Errors    map[string]string   `json:"errors"`
	Error     string              `json:"error"`
	Kind      string              `json:"kind"`
	Variable  string              `json:"variable"`
	Hint      string              `json:"hint"`
}

// post asks handler with the JSON of request.
func post(t *testing.T, handler http.Handler, path string, request any) answered {
	t.Helper()
	content, ok := request.(string)
	if !ok {
		encoded, err := json.Marshal(request)
		must(t, err)
		content = string(encoded)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("POST", path, strings.NewReader(content)))
	a := answered{status: recorder.Code}
	if err := json.Unmarshal(recorder.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s answers %d, %.300s: %v", path, recorder.Code, recorder.Body, err)
	}
	return a
}

// hour is a whole hour that is over, long enough ago that all is.
var hour = time.Now().Add(-2 * time.Hour).Truncate(time.Hour).Unix()

// ask is a request for a panel of the test dashboard, over the hour.
func ask(panel int, variables map[string][]string) map[string]any {
	return map[string]any{"dashboard": "netmeta-test", "panel": panel, "from": hour, "to": hour + 3600, "points": 360, "variables": variables}
}

func TestAPanelGetsItsNumbers(t *testing.T) {
	config, write := newConfig(t)
	insert(t, write,
		row{at: hour + 5, bytes: 1000, rate: 10, src: "::ffff:192.0.2.1"},
		row{at: hour + 9, bytes: 500, rate: 10, src: "::ffff:192.0.2.2"},
		row{at: hour + 25, bytes: 100, rate: 1, src: "::ffff:192.0.2.1"},
		row{at: hour - 1, bytes: 1e9})
	handler := New(config)

	a := post(t, handler, "/api/query", ask(1, nil))
	want := [][]any{{float64(hour * 1000), 15000 * 8 / 10.}, {float64((hour + 20) * 1000), 100 * 8 / 10.}}
	if diff := cmp.Diff(want, a.Rows); a.status != 200 || diff != "" {
		t.Errorf("status %d, %s, rows (-want +got):\n%s", a.status, a.Error, diff)
	}
	if len(a.Columns) != 2 || a.Columns[0].Name != "time" || a.Interval != 10 || a.RowsRead == 0 || !strings.Contains(a.SQL, "INTERVAL 10 second") {
		t.Errorf("columns %v, interval %g, %d rows read, SQL %s", a.Columns, a.Interval, a.RowsRead, a.SQL)
	}

	a = post(t, handler, "/api/query", ask(1, map[string][]string{"host": {"192.0.2.2"}}))
	if diff := cmp.Diff([][]any{{float64(hour * 1000), 5000 * 8 / 10.}}, a.Rows); diff != "" {
		t.Errorf("%s, rows of one host (-want +got):\n%s", a.Error, diff)
	}
	a = post(t, handler, "/api/query", ask(1, map[string][]string{"sql": {"Bytes < 200"}}))
	if diff := cmp.Diff([][]any{{float64((hour + 20) * 1000), 80.}}, a.Rows); diff != "" {
		t.Errorf("%s, rows of a condition (-want +got):\n%s", a.Error, diff)
	}
	a = post(t, handler, "/api/query", ask(3, nil))
	if diff := cmp.Diff([][]any{{"192.0.2.1", 2.}, {"192.0.2.2", 1.}}, a.Rows); diff != "" {
		t.Errorf("%s, rows of a panel within a row (-want +got):\n%s", a.Error, diff)
	}
}

func TestVariablesHaveOptions(t *testing.T) {
	config, write := newConfig(t)
	insert(t, write, row{at: hour + 5, exporter: "::ffff:192.0.2.9"}, row{at: hour - 5, exporter: "::ffff:192.0.2.8"})
	handler := New(config)
	for name, want := range map[string][]map[string]string{
		"exporter":  {{"text": "192.0.2.9", "value": "192.0.2.9"}},
		"interface": {{"text": "192.0.2.9 0", "value": "192.0.2.9/0"}},
		"direction": {{"text": "in", "value": "in"}, {"text": "out", "value": "out"}},
		"host":      {},
	} {
		request := ask(0, nil)
		request["name"] = name
		a := post(t, handler, "/api/variable", request)
		if diff := cmp.Diff(want, a.Options); a.status != 200 || diff != "" {
			t.Errorf("%s: status %d, %s, options (-want +got):\n%s", name, a.status, a.Error, diff)
		}
	}
}

func TestCellsAreWhatThePageExpects(t *testing.T) {
	config := bareConfig(t)
	for sql, want := range map[string]any{
		`SELECT toDateTime(1700000000, 'Asia/Kathmandu')`:            1700000000000.,
		`SELECT toDateTime64('1970-01-01 00:00:01.5', 6, 'UTC')`:     1500.,
		`SELECT toNullable(toDateTime(1700000000))`:                  1700000000000.,
		`SELECT CAST(NULL, 'Nullable(DateTime)')`:                    nil,
		`SELECT toDate('2023-11-14')`:                                "2023-11-14",
		`SELECT toUInt64(12345678901)`:                               12345678901.,
		`SELECT toInt64(-5)`:                                         -5.,
		`SELECT 0/0`:                                                 nil,
		`SELECT 1/0`:                                                 nil,
		`SELECT 1.5::Decimal(9, 2)`:                                  1.5,
		`SELECT toIPv6('::ffff:192.0.2.1')`:                          "192.0.2.1",
		`SELECT toIPv6('2001:db8::1')`:                               "2001:db8::1",
		`SELECT toIPv6('::ffff:0:192.0.2.1')`:                        "::ffff:0:c000:201",
		`SELECT [toIPv6('::ffff:192.0.2.1'), toIPv6('::')]`:          []any{"192.0.2.1", "::"},
		`SELECT map('a', 1)`:                                         map[string]any{"a": 1.},
		`SELECT [1, 2]`:                                              []any{1., 2.},
		`SELECT tuple(1, 'a')`:                                       []any{1., "a"},
		`SELECT '::ffff:192.0.2.1'`:                                  "::ffff:192.0.2.1",
		`SELECT 'quote " backslash \\ comma, ] newline \n \xff end'`: "quote \" backslash \\ comma, ] newline \n \ufffd end",
		`SELECT true`:                                                true,
		`SELECT toLowCardinality('x')`:                               "x",
		`SELECT NULL`:                                                nil,
	} {
		// Beside it, a cell that has to be edited, and one that must not be.
		a := post(t, New(config), "/api/sql", map[string]any{"sql": sql + ` AS x, toDateTime(1) AS t, 'a,"]' AS s`})
		if diff := cmp.Diff([][]any{{want, 1000., `a,"]`}}, a.Rows); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", sql, a.Error, diff)
		}
	}
}

func TestResultsEndAtTheLimit(t *testing.T) {
	config := bareConfig(t)
	handler := New(config)
	a := post(t, handler, "/api/sql", map[string]any{"sql": "SELECT number FROM system.numbers", "limit": 3})
	if len(a.Rows) != 3 || !a.Truncated {
		t.Errorf("%d rows, truncated %t, %s; want 3 of endless rows", len(a.Rows), a.Truncated, a.Error)
	}
	a = post(t, handler, "/api/sql", map[string]any{"sql": "SELECT number FROM numbers(3)", "limit": 3})
	if len(a.Rows) != 3 || a.Truncated {
		t.Errorf("%d rows, truncated %t; want all 3", len(a.Rows), a.Truncated)
	}
	result, err := newAsker(config.ClickHouse).ask(context.Background(), "test", "SELECT repeat('x', 1000) FROM system.numbers", bounds{time: time.Minute, memory: "1000000000", rows: 1e9, bytes: 1e6})
	must(t, err)
	if len(result.rows) < 900 || len(result.rows) > 1000 || !result.truncated {
		t.Errorf("%d rows of 1,000 bytes, want about a million bytes", len(result.rows))
	}
}

func TestWhatIsWrongIsSaidShortly(t *testing.T) {
	config, _ := newConfig(t)
	handler := New(config)
	type request = map[string]any
	for _, c := range []struct {
		name, path string
		request    any
		status     int
		kind       string
		want       string
	}{
		{"a value", "/api/query", ask(1, map[string][]string{"host": {"';--"}}), 400, kindVariable, `"';--" is not an address`},
		{"a condition that opens", "/api/query", ask(1, map[string][]string{"sql": {"(1"}}), 400, kindVariable, `a closing ")" is missing`},
		{"a condition of an unknown column", "/api/query", ask(1, map[string][]string{"sql": {"Byte < 3"}}), 400, kindVariable, "Byte"},
		{"a condition that is none", "/api/query", ask(1, map[string][]string{"sql": {"','"}}), 400, kindVariable, "Illegal type"},
		{"a condition that is not finished", "/api/query", ask(1, map[string][]string{"sql": {"Bytes <"}}), 400, kindVariable, "Syntax error"},
		{"no dashboard", "/api/query", request{"dashboard": "x"}, 404, kindQuery, `there is no dashboard "x"`},
		{"no panel", "/api/query", ask(99, nil), 400, kindQuery, "has no panel 99"},
		{"no query", "/api/query", request{"dashboard": "netmeta-test", "panel": 1, "target": "Z", "from": 1, "to": 2}, 400, kindQuery, `has no query "Z"`},
		{"a row", "/api/query", ask(2, nil), 400, kindQuery, `has no query ""`},
		{"an impossible time range", "/api/query", request{"dashboard": "netmeta-test", "panel": 1, "from": 20, "to": 10}, 400, kindQuery, "the time range has to begin"},
		{"a time that does not exist", "/api/query", request{"dashboard": "netmeta-test", "panel": 1, "from": 1, "to": 1e30}, 400, kindQuery, "the time range has to begin"},
		{"no variable", "/api/variable", request{"dashboard": "netmeta-test", "name": "x", "from": 1, "to": 2}, 400, kindQuery, `has no variable "x"`},
		{"no JSON", "/api/query", "dashboard=x", 400, kindQuery, "not the JSON"},
		{"a request without end", "/api/sql", `{"sql": "` + strings.Repeat("x", 2<<20) + `"}`, 413, kindLimit, "longer than 1 MiB"},
		{"nothing", "/api/sql", request{"sql": " "}, 400, kindQuery, "there is no statement"},
		{"a syntax error", "/api/sql", request{"sql": "SELECT 1 FROM\n WHERE x GROUPBY y"}, 400, kindQuery, "failed at position"},
		{"an unknown column", "/api/sql", request{"sql": "SELECT Byte FROM flows_raw"}, 400, kindQuery, "`Byte`"},
		{"an unknown table", "/api/sql", request{"sql": "SELECT 1 FROM flow"}, 400, kindQuery, "flow"},
		{"an unknown function", "/api/sql", request{"sql": "SELECT protocolname(6)"}, 400, kindQuery, "protocolname"},
		{"two statements", "/api/sql", request{"sql": "SELECT 1; SELECT 2"}, 400, kindQuery, "ulti-statement"},
		{"writing", "/api/sql", request{"sql": "INSERT INTO flows_raw (Bytes) VALUES (1)"}, 400, kindQuery, ""},
		{"dropping", "/api/sql", request{"sql": "DROP TABLE flows_raw"}, 400, kindQuery, ""},
		{"reading a file", "/api/sql", request{"sql": "SELECT * FROM file('/etc/passwd', 'LineAsString')"}, 400, kindQuery, ""},
		{"another format", "/api/sql", request{"sql": "SELECT 1 FORMAT Vertical"}, 400, kindQuery, "FORMAT clause"},
		{"too much memory", "/api/sql", request{"sql": "SELECT uniqExact(number) FROM numbers(1000000000) SETTINGS max_memory_usage = 20000000"}, 422, kindLimit, ""},
		{"too long", "/api/sql", request{"sql": "SELECT sum(sleepEachRow(0.01)) FROM numbers(10000) SETTINGS max_execution_time = 1, function_sleep_max_microseconds_per_block = 1000000000"}, 422, kindLimit, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := post(t, handler, c.path, c.request)
			t.Logf("%d %s: %s / %s", a.status, a.Kind, a.Error, a.Hint)
			if a.status != c.status || a.Kind != c.kind || !strings.Contains(a.Error, c.want) {
				t.Errorf("status %d, kind %s; want %d, %s, %q", a.status, a.Kind, c.status, c.kind, c.want)
			}
			if len(a.Error) > maxErrorText || strings.Contains(a.Error, "SELECT toStart") || strings.Contains(a.Error, "scope SELECT") || strings.Contains(a.Error, "version") {
				t.Error("the message repeats the query, or is long")
			}
			if c.kind == kindLimit && a.Hint == "" {
				t.Error("nothing says what to do")
			}
		})
	}
}

func TestValuesAreCheckedWithoutAQuery(t *testing.T) {
	a := post(t, New(unreachable(t)), "/api/check", map[string]any{"dashboard": "netmeta-test", "variables": map[string][]string{"host": {"x"}, "port": {"53"}}})
	if a.status != 200 || len(a.Errors) != 1 || !strings.Contains(a.Errors["host"], "not an address") {
		t.Errorf("status %d, errors %v", a.status, a.Errors)
	}
}

func TestAConditionIsCheckedByClickHouse(t *testing.T) {
	config, _ := newConfig(t)
	for condition, want := range map[string]string{"Bytes > 3": "", "Byte > 3": "Byte", "Bytes >": "Syntax error", "(1": "missing", "'x'": "Illegal type"} {
		a := post(t, New(config), "/api/check", map[string]any{"dashboard": "netmeta-test", "variables": map[string][]string{"sql": {condition}}})
		if got := a.Errors["sql"]; a.status != 200 || (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: status %d, %q; want %q", condition, a.status, got, want)
		}
	}
}

func TestWithoutClickHouseQueriesSayThatItPasses(t *testing.T) {
	handler := New(unreachable(t))
	for path, request := range map[string]any{"/api/query": ask(1, nil), "/api/sql": map[string]string{"sql": "SELECT 1"}} {
		a := post(t, handler, path, request)
		if a.status != 503 || a.Kind != kindUnavailable || !strings.Contains(a.Error, "connection refused") || !strings.Contains(a.Hint, "tries again") {
			t.Errorf("%s: status %d, kind %s, %s, %s", path, a.status, a.Kind, a.Error, a.Hint)
		}
	}
	r := get(t, handler, "GET", "/api/sql/schema", nil)
	if text := body(t, r); r.StatusCode != 503 || !strings.Contains(text, `"kind":"unavailable"`) {
		t.Errorf("the schema: status %s, %s", r.Status, text)
	}
}

func TestClickHouseComingBackIsNoticed(t *testing.T) {
	config := bareConfig(t)
	var away atomic.Bool
	away.Store(true)
	inner := chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: true})
	config.ClickHouse = client(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	})))
	handler := New(config)
	if a := post(t, handler, "/api/sql", map[string]string{"sql": "SELECT 1"}); a.status != 503 || a.Kind != kindUnavailable {
		t.Errorf("away: status %d, kind %s, %s", a.status, a.Kind, a.Error)
	}
	away.Store(false)
	if a := post(t, handler, "/api/sql", map[string]string{"sql": "SELECT 1"}); a.status != 200 || len(a.Rows) != 1 {
		t.Errorf("back: status %d, %s", a.status, a.Error)
	}
}

func TestDashboardsAreListedAndServedAsTheyAre(t *testing.T) {
	config := unreachable(t)
	handler := New(config)
	var list []dashboardInfo
	must(t, json.NewDecoder(get(t, handler, "GET", "/api/dashboards", nil).Body).Decode(&list))
	want := []dashboardInfo{{"netmeta-test", "Test", "Every kind of variable, and a panel in a row", []string{"netmeta"}}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("dashboards (-want +got):\n%s", diff)
	}
	if got := body(t, get(t, handler, "GET", "/api/dashboards/netmeta-test", nil)); got != string(config.Dashboards[0].JSON) {
		t.Errorf("the dashboard is served as %.100s", got)
	}
	if r := get(t, handler, "GET", "/api/dashboards/x", nil); r.StatusCode != 404 {
		t.Errorf("status %s of a dashboard that is not there", r.Status)
	}
}

func TestLargeAnswersAreCompressedForBrowsersThatTakeIt(t *testing.T) {
	config := bareConfig(t)
	handler := New(config)
	for accept, want := range map[string]string{"gzip, br": "gzip", "": ""} {
		request := httptest.NewRequest("POST", "/api/sql", strings.NewReader(`{"sql": "SELECT number FROM numbers(1000)"}`))
		request.Header.Set("Accept-Encoding", accept)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if got := recorder.Header().Get("Content-Encoding"); got != want {
			t.Fatalf("Content-Encoding %q for %q", got, accept)
		}
		var plain io.Reader = recorder.Body
		if want == "gzip" {
			var err error
			plain, err = gzip.NewReader(recorder.Body)
			must(t, err)
		}
		var a answered
		must(t, json.NewDecoder(plain).Decode(&a))
		if len(a.Rows) != 1000 {
			t.Errorf("%d rows", len(a.Rows))
		}
	}
}

func TestTheSchemaHasWhatCanBeWritten(t *testing.T) {
	config, _ := newConfig(t)
	var s sqlSchema
	r := get(t, New(config), "GET", "/api/sql/schema", nil)
	must(t, json.NewDecoder(r.Body).Decode(&s))
	described := 0
	for _, table := range s.Tables {
		for _, c := range table.Columns {
			if table.Name == "flows_raw" && c.Comment != "" && c.Type != "" {
				described++
			}
		}
		if strings.HasSuffix(table.Name, "_queue") || strings.HasSuffix(table.Name, "_received") || table.Name == "schema_migrations" {
			t.Errorf("table %s is of no use to people", table.Name)
		}
	}
	if described < 50 {
		t.Errorf("%d columns of flows_raw are described", described)
	}
	functions := map[string]schemaFunction{}
	for _, f := range s.Functions {
		functions[f.Name] = f
	}
	if f := functions["parseAddress"]; f.Arguments != "text" || f.Returns != "IPv6" || f.Description == "" || f.Example == "" {
		t.Errorf("parseAddress is described as %+v", f)
	}
	if _, ok := functions["quantile"]; !ok || len(functions) < 500 {
		t.Errorf("%d functions, quantile among them: %t", len(functions), ok)
	}
	if len(s.Examples) < 20 || !strings.HasSuffix(s.Examples[0].Title, "?") {
		t.Errorf("%d examples", len(s.Examples))
	}
	for _, e := range s.Examples {
		if strings.Contains(e.SQL, "FORMAT ") {
			t.Errorf("example %s has a FORMAT clause, which the page cannot show", e.Title)
		}
	}
}

func BenchmarkTable(b *testing.B) {
	var rows bytes.Buffer
	rows.WriteString("[\"time\",\"source\",\"bps\"]\n[\"DateTime\",\"IPv6\",\"Float64\"]\n")
	for range 10_000 {
		rows.WriteString("[\"1700000000\", \"::ffff:192.0.2.1\", 123456.5]\n")
	}
	b.SetBytes(int64(rows.Len()))
	b.ReportAllocs()
	for b.Loop() {
		t, err := readTable(resultOf(rows.Bytes()), 1e6, 1e9)
		if err != nil || len(t.rows) != 10_000 {
			b.Fatal(err)
		}
		encodeTable(t, "SELECT 1", time.Second)
	}
}
