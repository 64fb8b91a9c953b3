package main

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/internal/proctest"
)

// browser asks a console with the cookies that it got.
type browser struct {
	t      *testing.T
	client http.Client
	base   string
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, http.Client{Jar: jar}, base}
}

// ask decodes the answer into answer if that is not nil.
func (b *browser) ask(method, path, body string, answer any) (status int) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	if answer != nil {
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
			b.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return response.StatusCode
}

func TestConsoleServesAClickHouseElsewhere(t *testing.T) {
	url := serveEngine(t, false)
	if code, written := run(t, "migrate", "--clickhouse", url, "--kafka", "127.0.0.1:1"); code != 0 {
		t.Fatalf("migrate: exit code %d:\n%s", code, written)
	}
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("# TYPE netmeta_listen_datagrams_total counter\nnetmeta_listen_datagrams_total{listener=\"sflow\"} 42\n"))
	}))
	defer collector.Close()
	hash := filepath.Join(t.TempDir(), "hash")
	hashing := proctest.StartWith(t, func(c *exec.Cmd) { c.Stdin = strings.NewReader("correct horse\n") }, "hash-password")
	hashing.WaitEnd(t, time.Minute)
	if err := os.WriteFile(hash, []byte(hashing.Log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "console", "--clickhouse", url, "--console", "0.0.0.0:0", "--console-password-file", hash,
		"--collectors", collector.URL, "--collector-addresses", "flowmon.example.com", "--netflow-legacy", "")
	port := p.find(t, `console: serving.*address=\S*:(\d+)`)
	b := newBrowser(t, "http://127.0.0.1:"+port)

	for _, path := range []string{"/api/dashboards", "/api/setup", "/api/pipeline"} {
		if status := b.ask("GET", path, "", nil); status != http.StatusUnauthorized {
			t.Errorf("without the password, %s has status %d", path, status)
		}
	}
	if status := b.ask("POST", "/api/login", `{"password": "correct horse"}`, nil); status != http.StatusOK {
		t.Fatalf("login: status %d", status)
	}
	var list []any
	if b.ask("GET", "/api/dashboards", "", &list); len(list) < 5 {
		t.Errorf("%d dashboards are listed, want those of the program", len(list))
	}
	var setup struct {
		Addresses []string
		Listeners []struct{ Name string }
	}
	if b.ask("GET", "/api/setup", "", &setup); len(setup.Addresses) != 1 || setup.Addresses[0] != "flowmon.example.com" || len(setup.Listeners) != 2 {
		t.Errorf("exporters are told %+v", setup)
	}
	var pipeline struct {
		Stages []struct {
			ID    string
			Level string
			Total *float64
		}
	}
	b.ask("GET", "/api/pipeline", "", &pipeline)
	for _, s := range pipeline.Stages {
		switch {
		case s.ID == "datagrams" && (s.Total == nil || *s.Total != 42):
			t.Errorf("the collector's datagrams are not those of its metrics: %+v", s)
		case s.ID == "kafka" && s.Level == "bad":
			t.Error("Kafka is blamed, which nobody was told of")
		case s.ID == "rows" && s.Level == "bad":
			t.Errorf("ClickHouse does not answer: %+v", s)
		}
	}
	if status := b.ask("POST", "/api/sql", `{"sql": "SELECT count() FROM flows"}`, nil); status != http.StatusOK {
		t.Errorf("a query has status %d", status)
	}
	if status := b.ask("GET", "/-/ready", "", nil); status != http.StatusOK {
		t.Errorf("/-/ready has status %d", status)
	}
	collector.Close()
	b.ask("GET", "/api/pipeline", "", nil)
	p.signal(t)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.Log.String())
	}
}

// The dashboards of a directory are those of an installation with its thresholds.
func TestConsoleTakesDashboardsOfADirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, dashboards.Files()); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"netmeta-attack.json", "alerts.json"} {
		if err := os.Remove(filepath.Join(dir, gone)); err != nil {
			t.Fatal(err)
		}
	}
	p := launch(t, "console", "--clickhouse", "127.0.0.1:1", "--console", "127.0.0.1:0", "--dashboards", dir)
	b := newBrowser(t, "http://127.0.0.1:"+p.find(t, `console: serving.*address=\S*:(\d+)`))
	if status := b.ask("GET", "/api/dashboards/netmeta-flows", "", nil); status != http.StatusOK {
		t.Errorf("a dashboard that is there has status %d", status)
	}
	if status := b.ask("GET", "/api/dashboards/netmeta-attack", "", nil); status != http.StatusNotFound {
		t.Errorf("a dashboard that is not there has status %d", status)
	}
	if status := b.ask("GET", "/-/ready", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("without ClickHouse, /-/ready has status %d", status)
	}
}

func TestConsoleRefuses(t *testing.T) {
	for _, c := range []struct{ promise, args, want string }{
		{"everybody from everywhere", "--console :0", "--console-password-file"},
		{"no dashboards", "--dashboards /nonexistent", "--dashboards /nonexistent: there is no netmeta-NAME.json"},
		{"an address without port", "--sflow 192.0.2.1", `--sflow: "192.0.2.1" is no HOST:PORT`},
		{"ClickHouse's own protocol", "--clickhouse tcp://127.0.0.1:9000", "is not http or https"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if _, _, err := execute(t, append([]string{"console"}, strings.Fields(c.args)...)...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
