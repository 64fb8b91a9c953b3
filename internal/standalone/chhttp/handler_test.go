package chhttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// serve starts the interface as people see it, or read-write.
func serve(t *testing.T, readOnly bool) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(New(chdbtest.Engine(t), Options{
		ReadOnly: readOnly, MaxBody: 1 << 20, Settings: map[string]string{"max_result_rows": "5000000", "max_threads": "1"},
	}))
	t.Cleanup(server.Close)
	return server
}

// plain sends requests without Go's own gzip.
var plain = &http.Client{Transport: &http.Transport{DisableCompression: true}}

func send(t *testing.T, method, address string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := plain.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestRequestsAreAnswered(t *testing.T) {
	server := serve(t, true)
	for _, c := range []struct {
		promise, method, path, body string
		status                      int
		want                        string
	}{
		{"ping", "GET", "/ping", "", 200, "Ok.\n"},
		{"replicas", "GET", "/replicas_status", "", 200, "Ok.\n"},
		{"root without a query", "GET", "/", "", 200, "Ok.\n"},
		{"query in the URL", "GET", "/?query=SELECT+1", "", 200, "1\n"},
		{"unescaped semicolon", "GET", "/?query=SELECT+1;", "", 200, "1\n"},
		{"query in the body", "POST", "/", "SELECT 1", 200, "1\n"},
		{"query in both", "POST", "/?query=SELECT", "2", 200, "2\n"},
		{"database", "POST", "/?database=system", "SELECT currentDatabase()", 200, "system\n"},
		{"default format", "POST", "/?default_format=JSONEachRow", "SELECT 1 AS x", 200, "{\"x\":1}\n"},
		{"parameter", "POST", "/?param_x=it's", "SELECT {x:String} = 'it\\'s'", 200, "1\n"},
		{"setting", "POST", "/?max_threads=2", "SELECT getSetting('max_threads')", 200, "2\n"},
		{"default setting", "POST", "/", "SELECT getSetting('max_result_rows')", 200, "5000000\n"},
		{"credentials are accepted", "POST", "/?user=default&password=x", "SELECT 1", 200, "1\n"},
		{"form content type is not a form", "POST", "/?x-form", "SELECT 1", 404, "Code: 115."},
		{"unknown setting", "POST", "/?no_such=1", "SELECT 1", 404, "Code: 115."},
		{"unknown table", "POST", "/", "SELECT * FROM nowhere", 404, "Code: 60."},
		{"unknown database", "POST", "/?database=nowhere", "SELECT 1", 404, "Code: 81."},
		{"syntax", "POST", "/", "SELEC 1", 400, "Code: 62."},
		{"empty query", "POST", "/", "", 400, "Code: 62."},
		{"two statements", "POST", "/", "SELECT 1; SELECT 2", 400, "Code: 62."},
		{"write", "POST", "/", "CREATE TABLE x (a UInt8) ENGINE = Memory", 500, "Code: 164."},
		{"write by GET", "GET", "/?query=DROP+TABLE+x", "", 500, "Code: 164."},
		{"file", "POST", "/", "SELECT * FROM url('http://127.0.0.1:1/', CSV)", 403, "Code: 497."},
		{"timeout", "POST", "/?max_execution_time=0.2&timeout_before_checking_execution_speed=0", "SELECT sum(sleepEachRow(0.05)) FROM numbers(1000) SETTINGS max_block_size = 1", 408, "Code: 159."},
		{"exception before data", "POST", "/", "SELECT throwIf(1)", 500, "Code: 395."},
		{"exception after data, waited for", "POST", "/?wait_end_of_query=1", "SELECT throwIf(number = 900000) FROM numbers(1000000)", 500, "Code: 395."},
		{"too much to wait for", "POST", "/?wait_end_of_query=1", "SELECT number FROM numbers(10000000000)", 500, "Code: 396."},
		{"time without end", "POST", "/?max_execution_time=0", "SELECT 1", 500, "Code: 452."},
		{"too large", "POST", "/", "SELECT '" + strings.Repeat("x", 1<<20) + "'", 413, "Code: 229."},
		{"bad escape", "GET", "/?query=%zz", "", 400, "Code: 36."},
		{"other path", "GET", "/play", "", 404, "There is nothing at /play"},
		{"other method", "PUT", "/", "SELECT 1", 405, "method PUT"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			response, text := send(t, c.method, server.URL+c.path, strings.NewReader(c.body), "Content-Type", "application/x-www-form-urlencoded")
			if response.StatusCode != c.status || !strings.HasPrefix(text, c.want) {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, text, c.status, c.want)
			}
			code, _, _ := strings.Cut(strings.TrimPrefix(c.want, "Code: "), ".")
			if strings.HasPrefix(c.want, "Code: ") && response.Header.Get("X-ClickHouse-Exception-Code") != code {
				t.Errorf("X-ClickHouse-Exception-Code: %q, want %s", response.Header.Get("X-ClickHouse-Exception-Code"), code)
			}
		})
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	server := serve(t, true)
	response, _ := send(t, "POST", server.URL+"/?query_id=mine", strings.NewReader("SELECT number FROM numbers(5) FORMAT JSONCompact"))
	for name, want := range map[string]string{
		"X-ClickHouse-Query-Id": "mine", "X-ClickHouse-Format": "JSONCompact", "X-ClickHouse-Timezone": chdbtest.Engine(t).Timezone(),
		"Content-Type": "application/json; charset=UTF-8",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := response.Header.Get("X-ClickHouse-Summary"); !strings.Contains(got, `"result_rows":"5"`) {
		t.Errorf("X-ClickHouse-Summary: %s", got)
	}
	if response.Header.Get("X-ClickHouse-Server-Display-Name") == "" {
		t.Error("no X-ClickHouse-Server-Display-Name")
	}
}

func TestCompression(t *testing.T) {
	server := serve(t, true)
	var gzipped bytes.Buffer
	w := gzip.NewWriter(&gzipped)
	fmt.Fprint(w, "SELECT 7")
	w.Close()
	if _, text := send(t, "POST", server.URL, &gzipped, "Content-Encoding", "gzip"); text != "7\n" {
		t.Errorf("gzip request: got %q", text)
	}
	for _, c := range []struct {
		accept, path, want string
		open               func(io.Reader) (io.Reader, error)
	}{
		{"gzip", "/?enable_http_compression=1", "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"br;q=0, gzip;q=0.5", "/", "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"gzip, zstd", "/", "zstd", func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }},
		{"gzip;q=0", "/", "", func(r io.Reader) (io.Reader, error) { return r, nil }},
		{"gzip", "/?enable_http_compression=0", "", func(r io.Reader) (io.Reader, error) { return r, nil }},
	} {
		t.Run(c.accept+c.path, func(t *testing.T) {
			response, text := send(t, "POST", server.URL+c.path, strings.NewReader("SELECT 7"), "Accept-Encoding", c.accept)
			if got := response.Header.Get("Content-Encoding"); got != c.want {
				t.Fatalf("Content-Encoding %q, want %q", got, c.want)
			}
			r, err := c.open(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != "7\n" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestExceptionAfterDataBreaksTheBody(t *testing.T) {
	server := serve(t, true)
	response, err := http.Post(server.URL, "", strings.NewReader("SELECT throwIf(number = 900000) FROM numbers(1000000)"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		t.Error("the body ended as if it were complete")
	}
	tail := string(text[max(0, len(text)-1000):])
	if tag := response.Header.Get("X-ClickHouse-Exception-Tag"); len(tag) != 16 || !strings.Contains(tail, "__exception__\r\n"+tag+"\r\nCode: 395.") {
		t.Errorf("the body ends with %q", tail)
	}
}

func TestClientGoneCancelsTheQuery(t *testing.T) {
	server := serve(t, true)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/?query="+url.QueryEscape(
		"SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10 -- gone"), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		response, err := plain.Do(r)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	running := func(want string) func() bool {
		return func() bool {
			_, text := send(t, "POST", server.URL, strings.NewReader("SELECT count() FROM system.processes WHERE query LIKE concat('%-- ', 'gone%')"))
			return text == want+"\n"
		}
	}
	eventually(t, "the query runs", running("1"))
	cancel()
	if <-done == nil {
		t.Error("the request succeeded")
	}
	eventually(t, "the query is gone", running("0"))
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

// A browser would run this answer as a script of the page that asks for it.
func TestPagesOfOtherSitesGetNothing(t *testing.T) {
	server := serve(t, true)
	response, text := send(t, "GET", server.URL+"/?query=SELECT+'steal(1)'+FORMAT+RawBLOB", nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
	if response.StatusCode != http.StatusForbidden || strings.Contains(text, "steal") {
		t.Errorf("a script element of another site: got %d %q", response.StatusCode, text)
	}
	response, _ = send(t, "GET", server.URL+"/?query=SELECT+1", nil)
	if response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers of an answer: %v", response.Header)
	}
}

// libchdb gives queries ids of its own.
func TestQueryIsFoundByTheIDThatItsClientGaveIt(t *testing.T) {
	server := serve(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/?query_id=of+mine",
		strings.NewReader("SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := plain.Do(r); err == nil {
			response.Body.Close()
		}
	}()
	eventually(t, "the query is found", func() bool {
		_, text := send(t, "POST", server.URL, strings.NewReader(
			"SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ' of mine') AND query LIKE '%sleepEachRow(0.01)%' AND query NOT LIKE '%processes%'"))
		return text == "1\n"
	})
}
