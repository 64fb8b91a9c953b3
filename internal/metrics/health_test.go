package metrics_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/metrics"
)

// report is what /healthz and /readyz answer.
type report struct {
	Status int
	Header http.Header
	Body   string
	OK     bool
	Checks []struct {
		Name, Error string
		OK          bool
		Since       time.Time
	}
}

// serve serves metrics with checks, and returns the URL in front of the paths.
func serve(t *testing.T, checks ...metrics.Check) string {
	t.Helper()
	server, err := metrics.Serve("127.0.0.1:0", checks...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return "http://" + server.Addr
}

func request(t *testing.T, method, url string) (r report) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Status, r.Header, r.Body = response.StatusCode, response.Header, string(body)
	if response.Header.Get("Content-Type") == "application/json" && method != http.MethodHead {
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, body)
		}
	}
	return r
}

func fine() error { return nil }

func failing() error { return errors.New("no broker answers at 192.0.2.1:9092") }

func TestStatusTellsTheTruth(t *testing.T) {
	for _, test := range []struct {
		promise         string
		checks          []metrics.Check
		healthz, readyz int
	}{
		{"nothing to check", nil, 200, 200},
		{"all is well", []metrics.Check{{Name: "sockets", Live: true, Probe: fine}, {Name: "kafka", Probe: fine}}, 200, 200},
		{"what is outside fails", []metrics.Check{{Name: "sockets", Live: true, Probe: fine}, {Name: "kafka", Probe: failing}}, 200, 503},
		{"the process fails", []metrics.Check{{Name: "sockets", Live: true, Probe: failing}, {Name: "kafka", Probe: fine}}, 503, 503},
	} {
		t.Run(test.promise, func(t *testing.T) {
			url := serve(t, test.checks...)
			for path, want := range map[string]int{"/healthz": test.healthz, "/readyz": test.readyz} {
				got := request(t, http.MethodGet, url+path)
				if got.Status != want || got.OK != (want == 200) {
					t.Errorf("%s: %d, want %d: %s", path, got.Status, want, got.Body)
				}
				if head := request(t, http.MethodHead, url+path); head.Status != want || head.Body != "" {
					t.Errorf("HEAD %s: %d and %q, want %d and no body", path, head.Status, head.Body, want)
				}
				if got.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s may be cached: %v", path, got.Header)
				}
			}
		})
	}
}

func TestFailureIsNamedWithItsReasonAndItsTime(t *testing.T) {
	began := time.Now().Add(-time.Second) // answers are in whole seconds
	var broken atomic.Bool
	url := serve(t, metrics.Check{Name: "sockets", Live: true, Probe: fine}, metrics.Check{Name: "kafka", Probe: func() error {
		if broken.Load() {
			return failing()
		}
		return nil
	}})
	if r := request(t, http.MethodGet, url+"/readyz"); r.Status != 200 || len(r.Checks) != 2 {
		t.Fatalf("%d: %s", r.Status, r.Body)
	}
	broken.Store(true)
	first := request(t, http.MethodGet, url+"/readyz").Checks[1]
	if first.Name != "kafka" || first.OK || first.Error != failing().Error() || first.Since.Before(began) || first.Since.After(time.Now()) {
		t.Errorf("%+v", first)
	}
	if again := request(t, http.MethodGet, url+"/readyz").Checks[1]; !again.Since.Equal(first.Since) {
		t.Errorf("fails since %v, before since %v", again.Since, first.Since)
	}
	broken.Store(false)
	if r := request(t, http.MethodGet, url+"/readyz"); r.Status != 200 || strings.Contains(r.Body, "error") {
		t.Errorf("after it works again: %d: %s", r.Status, r.Body)
	}
}

func TestProbeThatHangsFailsAndIsNotRepeated(t *testing.T) {
	var probes atomic.Int32
	release := make(chan struct{})
	defer close(release)
	url := serve(t, metrics.Check{Name: "decoders", Live: true, Probe: func() error {
		probes.Add(1)
		<-release
		return nil
	}})
	for range 2 {
		r := request(t, http.MethodGet, url+"/healthz")
		if r.Status != 503 || !strings.Contains(r.Body, "no answer for") {
			t.Errorf("%d: %s", r.Status, r.Body)
		}
	}
	if n := probes.Load(); n != 1 {
		t.Errorf("%d probes hang at the same time, want 1", n)
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	url := serve(t)
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, "/healthz", 405},
		{http.MethodDelete, "/readyz", 405},
		{http.MethodPut, "/metrics", 405},
		{http.MethodGet, "/", 404},
		{http.MethodGet, "/healthz/", 404},
		{http.MethodGet, "/readyz/kafka", 404},
		{http.MethodGet, "/READYZ", 404},
	} {
		if got := request(t, test.method, url+test.path); got.Status != test.want {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, got.Status, test.want)
		}
	}
}

func TestWorkThatDoesNotEndIsNoticed(t *testing.T) {
	const limit = 10 * time.Second
	start := time.Unix(1_700_000_000, 0)
	var b metrics.Busy
	for _, step := range []struct {
		promise string
		do      func()
		after   time.Duration
		stuck   bool
	}{
		{"never worked", func() {}, time.Hour, false},
		{"has just begun", func() { b.Begin(start) }, limit, false},
		{"is stuck", func() {}, limit + time.Second, true},
		{"is idle for long", b.End, time.Hour, false},
	} {
		step.do()
		if err := b.Probe(start.Add(step.after), limit); (err != nil) != step.stuck {
			t.Errorf("%s: %v", step.promise, err)
		}
	}
}
