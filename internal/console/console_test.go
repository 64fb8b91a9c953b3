package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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
