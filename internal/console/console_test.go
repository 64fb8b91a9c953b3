package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/dashboard"
)

// get asks handler for path, by GET unless the header field Method says otherwise.
func get(t *testing.T, handler http.Handler, method, path string, header http.Header) *http.Response {
	t.Helper()
	request := httptest.NewRequest(method, path, nil)
	request.Header = header
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	must(t, err)
	return string(content)
}

// unreachable is a client of a ClickHouse that is not there.
func unreachable(t *testing.T) Config {
	t.Helper()
	config := testConfig(open(t, "127.0.0.1:1"))
	config.ClickHouse = client(t, "127.0.0.1:1")
	config.Dashboards = []*dashboard.Dashboard{testDashboard(t)}
	return config
}

func TestReadySaysWhyNot(t *testing.T) {
	config := unreachable(t)
	if r := get(t, New(config), "GET", "/-/ready", nil); r.StatusCode != http.StatusOK {
		t.Errorf("status %s when ready", r.Status)
	}
	config.Ready = func(context.Context) error { return errors.New("the schema is being created") }
	r := get(t, New(config), "GET", "/-/ready", nil)
	if text := body(t, r); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "the schema is being created") {
		t.Errorf("status %s, %q when not ready, want 503 and the reason", r.Status, text)
	}
}

func TestWithoutClickHousePipelineSaysSo(t *testing.T) {
	r := get(t, New(unreachable(t)), "GET", "/api/pipeline", nil)
	var p pipeline
	must(t, json.NewDecoder(r.Body).Decode(&p))
	if r.StatusCode != http.StatusOK || len(p.Stages) != 4 || p.Stages[3].Level != levelBad {
		t.Errorf("pipeline: status %s, %+v; want all stages, the last one bad", r.Status, p)
	}
}

func TestPagesOfOtherSitesGetNothing(t *testing.T) {
	handler := New(unreachable(t))
	if r := get(t, handler, "GET", "/api/setup", http.Header{"Origin": {"http://attacker.example"}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another site: status %s, want 403", r.Status)
	}
	if r := get(t, handler, "GET", "/api/setup", nil); r.StatusCode != http.StatusOK || r.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("status %s, headers %v", r.Status, r.Header)
	}
}

func TestThePageLoadsOnlyItsOwnFilesAndBrowsersMayKeepThem(t *testing.T) {
	handler := New(unreachable(t))
	page := get(t, handler, "GET", "/", nil)
	if got := page.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("the page has Cache-Control %q, want no-cache: it names the files of the version", got)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") {
		t.Errorf("Content-Security-Policy = %q", policy)
	}
	files := regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(body(t, page), -1)
	if len(files) < 5 {
		t.Fatalf("the page names %d files: %q", len(files), files)
	}
	for _, file := range files {
		r := get(t, handler, "GET", file[1], http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %s", file[1], r.Status)
		}
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q, want immutable", file[1], got)
		}
		if strings.HasSuffix(file[1], ".js") && r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is sent uncompressed to a browser that takes gzip", file[1])
		}
		if plain := get(t, handler, "GET", file[1], nil); plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is sent compressed to a client that did not ask for it", file[1])
		}
	}
}
