package console

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/console/access"
)

// locked is a console without ClickHouse whose password is "open sesame".
func locked(t *testing.T) http.Handler {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hash")
	must(t, os.WriteFile(file, []byte("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$zorTdJ0I8daWAF/0334wsA\n"), 0o600))
	password, err := access.ReadPassword(file)
	must(t, err)
	config := unreachable(t)
	config.Access.Password = password
	return New(config)
}

// from is the request of a browser with a session, if it has one.
func from(session *http.Cookie, method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if session != nil {
		r.AddCookie(session)
	}
	return r
}

func TestWithoutALoginThereIsNoData(t *testing.T) {
	handler := locked(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/pipeline", 401}, {"GET", "/api/setup", 401}, {"GET", "/api/dashboards", 401}, {"GET", "/api/dashboards/netmeta-test", 401},
		{"POST", "/api/query", 401}, {"POST", "/api/variable", 401}, {"POST", "/api/check", 401}, {"POST", "/api/sql", 401},
		{"GET", "/api/sql/schema", 401}, {"GET", "/api/alerts", 401}, {"GET", "/api/not-made-yet", 401}, {"GET", "/%61pi/setup", 401},
		{"GET", "/x/../api/setup", 307}, {"GET", "//api/setup", 307}, // to the path that is refused
		{"GET", "/", 200}, {"GET", "/-/ready", 200}, {"GET", "/api/session", 200},
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, from(nil, c.method, c.path, "{}"))
		if recorder.Code != c.status || c.status == 401 && !strings.Contains(recorder.Body.String(), `"kind":"login"`) {
			t.Errorf("%s %s: status %d, want %d: %s", c.method, c.path, recorder.Code, c.status, recorder.Body)
		}
	}
}

func TestLoggingInAndOut(t *testing.T) {
	handler := locked(t)
	ask := func(session *http.Cookie, method, path, content string) *http.Response {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, from(session, method, path, content))
		return recorder.Result()
	}
	if got := body(t, ask(nil, "GET", "/api/session", "")); got != `{"user":null,"login":true}` {
		t.Errorf("session before: %s", got)
	}
	if r := ask(nil, "POST", "/api/login", `{"password": "open sesami"}`); r.StatusCode != 401 || len(r.Cookies()) != 0 {
		t.Errorf("a wrong password: status %s, cookies %v", r.Status, r.Cookies())
	} else if text := body(t, r); !strings.Contains(text, "this is not the password") {
		t.Errorf("a wrong password: %s", text)
	}
	r := ask(nil, "POST", "/api/login", `{"password": "open sesame"}`)
	if r.StatusCode != 200 || len(r.Cookies()) != 1 {
		t.Fatalf("the password: status %s, cookies %v", r.Status, r.Cookies())
	}
	session := r.Cookies()[0]
	if got := body(t, ask(session, "GET", "/api/session", "")); got != `{"user":"password","login":true}` {
		t.Errorf("session: %s", got)
	}
	if r := ask(session, "GET", "/api/setup", ""); r.StatusCode != 200 {
		t.Errorf("with the session: status %s", r.Status)
	}
	if r := ask(session, "POST", "/api/logout", ""); r.StatusCode != 200 || len(r.Cookies()) != 1 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out: status %s, cookies %v", r.Status, r.Cookies())
	}
	if r := ask(session, "GET", "/api/setup", ""); r.StatusCode != 401 {
		t.Errorf("with the session that has ended: status %s", r.Status)
	}
	for range 10 {
		r = ask(nil, "POST", "/api/login", `{"password": "wrong"}`)
	}
	if r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("too many attempts: status %s, headers %v", r.Status, r.Header)
	}
}

func TestPagesOfOtherSitesCannotLogIn(t *testing.T) {
	r := from(nil, "POST", "/api/login", `{"password": "open sesame"}`)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	recorder := httptest.NewRecorder()
	locked(t).ServeHTTP(recorder, r)
	if recorder.Code != http.StatusForbidden || len(recorder.Result().Cookies()) != 0 {
		t.Errorf("status %d, cookies %v", recorder.Code, recorder.Result().Cookies())
	}
}

func TestWhereNobodyIsKeptOutNobodyLogsIn(t *testing.T) {
	handler := New(unreachable(t))
	if got := body(t, get(t, handler, "GET", "/api/session", nil)); got != `{"user":null,"login":false}` {
		t.Errorf("session: %s", got)
	}
	if r := get(t, handler, "GET", "/api/setup", nil); r.StatusCode != 200 {
		t.Errorf("status %s without a login", r.Status)
	}
}
