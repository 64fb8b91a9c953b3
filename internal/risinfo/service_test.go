package risinfo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/risinfo"
	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
	"github.com/leoluk/NetMeta/internal/risinfo/mrttest"
)

// archive is a web server in the place of the archives.
type archive struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	fail     map[string]http.HandlerFunc // by path
	requests map[string]int              // by path and status
}

func newArchive(t *testing.T) *archive {
	a := &archive{files: map[string][]byte{}, fail: map[string]http.HandlerFunc{}, requests: map[string]int{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	body, exists := a.files[r.URL.Path]
	fail := a.fail[r.URL.Path]
	a.mu.Unlock()
	count := func(status int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.requests[fmt.Sprint(r.URL.Path, " ", status)]++
	}
	tag := fmt.Sprintf(`"%x"`, md5.Sum(body))
	switch {
	case fail != nil:
		count(0)
		fail(w, r)
	case !exists:
		count(404)
		http.NotFound(w, r)
	case r.Header.Get("If-None-Match") == tag:
		count(304)
		w.WriteHeader(304)
	default:
		count(200)
		w.Header().Set("ETag", tag)
		w.Write(body)
	}
}

func (a *archive) put(path string, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files[path] = body
	delete(a.fail, path)
}

func (a *archive) failing(path string, how http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail[path] = how
}

func (a *archive) got(request string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[request]
}

func table(t *testing.T, seed uint64, four, six int) []byte {
	t.Helper()
	var file bytes.Buffer
	zipped := gzip.NewWriter(&file)
	if err := mrttest.Write(zipped, mrttest.Table(seed, four, six), 3); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func newService(t *testing.T, dir string, ribs, names []string) *risinfo.Service {
	t.Helper()
	f := fetch.New(dir)
	f.Backoff, f.Attempts, f.Idle = time.Millisecond, 2, 300*time.Millisecond
	s, err := risinfo.New(risinfo.Config{RIBs: ribs, Names: names, Dir: dir, Interval: time.Hour, MinShare: 0.7, MinPeers: 2, Fetcher: f})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rows(s *risinfo.Service) int {
	if s.Routes() == nil {
		return 0
	}
	return len(s.Routes().Rows)
}

func TestTablesAreServedAndKeptOverARestart(t *testing.T) {
	a := newArchive(t)
	a.put("/rib.gz", table(t, 1, 400, 100))
	a.put("/asn.txt", []byte("13335 EXAMPLE, US\n"))
	dir := t.TempDir()
	s := newService(t, dir, []string{a.URL + "/rib.gz"}, []string{a.URL + "/asn.txt"})
	get := func(s *risinfo.Service, path string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	for _, path := range []string{"/rib.tsv", "/autnums.tsv", "/-/ready"} {
		if code, _ := get(s, path); code != 503 {
			t.Errorf("%s answers %d before there is a table", path, code)
		}
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Close() // nothing can be had any more
	for name, s := range map[string]*risinfo.Service{"before": s, "after": newService(t, dir, []string{a.URL + "/rib.gz"}, []string{a.URL + "/asn.txt"})} {
		if code, body := get(s, "/rib.tsv"); code != 200 || strings.Count(body, "\n") != 500 || !strings.Contains(body, "::ffff:") {
			t.Errorf("%s a restart, /rib.tsv answers %d: %.200s", name, code, body)
		}
		if code, body := get(s, "/autnums.tsv"); code != 200 || body != "13335\tEXAMPLE\tUS\n" {
			t.Errorf("%s a restart, /autnums.tsv answers %d: %s", name, code, body)
		}
		if code, _ := get(s, "/-/ready"); code != 200 {
			t.Errorf("%s a restart, /-/ready answers %d", name, code)
		}
		if code, body := get(s, "/metrics"); code != 200 || !strings.Contains(body, `netmeta_risinfo_rows{table="routes"} 500`) {
			t.Errorf("%s a restart, /metrics answers %d", name, code)
		}
	}
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	a := newArchive(t)
	a.put("/rib.gz", table(t, 1, 300, 100))
	s := newService(t, t.TempDir(), []string{a.URL + "/rib.gz"}, nil)
	for range 3 {
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := s.Routes()
	if full, not := a.got("/rib.gz 200"), a.got("/rib.gz 304"); full != 1 || not != 2 {
		t.Errorf("sent %d times, not modified %d times", full, not)
	}
	a.put("/rib.gz", table(t, 2, 310, 100))
	if err := s.Refresh(t.Context()); err != nil || s.Routes() == first || rows(s) != 410 {
		t.Errorf("after a change: %v, %d rows", err, rows(s))
	}
}

// What is broken or implausible never replaces a good table, and what comes after it does.
func TestNothingBrokenReplacesAGoodTable(t *testing.T) {
	good := table(t, 1, 400, 100)
	send := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }
	}
	var emptyTable bytes.Buffer
	if err := mrttest.Write(&emptyTable, nil, 3); err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]http.HandlerFunc{
		"truncated":       send(good[:len(good)/2]),
		"damaged":         send(append(append(bytes.Clone(good[:len(good)/2]), bytes.Repeat([]byte("damage"), 50)...), good[len(good)/2:]...)),
		"truncated bzip2": send([]byte("BZh91AY&SY\x00\x01\x02")),
		"empty":           send(nil),
		"without routes":  send(emptyTable.Bytes()),
		"too small":       send(table(t, 1, 200, 100)),
		"without IPv6":    send(table(t, 1, 500, 0)),
		"web page":        send([]byte("\n <!DOCTYPE html><title>Sign in</title>")),
		"web page, said so": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write(good)
		},
		"text":        send([]byte("no prefix\nat all\n")),
		"unavailable": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"not found":   http.NotFound,
		"forbidden":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:1000])
			panic(http.ErrAbortHandler)
		},
		"stalling": func(w http.ResponseWriter, r *http.Request) {
			w.Write(good[:1000])
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			a.put("/rib.gz", good)
			s := newService(t, t.TempDir(), []string{a.URL + "/rib.gz"}, nil)
			if err := s.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := s.Routes()
			a.failing("/rib.gz", broken)
			s.Refresh(t.Context()) // an error or not: the last good file of the source may be used
			if now := s.Routes(); len(now.Rows) != len(before.Rows) {
				t.Errorf("%d rows have become %d", len(before.Rows), len(now.Rows))
			}
			a.put("/rib.gz", table(t, 3, 420, 100))
			if err := s.Refresh(t.Context()); err != nil || rows(s) != 520 {
				t.Errorf("afterwards, a good table is not used: %v, %d rows", err, rows(s))
			}
		})
	}
}

func TestSourcesAreMergedByVisibility(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, entries []mrttest.Entry, peers int) string {
		var file bytes.Buffer
		if err := mrttest.Write(&file, entries, peers); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := mrttest.Table(1, 3, 0)
	other := func(i int, asn uint32) mrttest.Entry { return mrttest.Entry{Prefix: all[i].Prefix, ASN: asn} }
	many := write("many", []mrttest.Entry{other(0, 100), other(1, 101)}, 5)
	few := write("few", []mrttest.Entry{other(0, 200), other(1, 101)}, 2)
	one := write("one", []mrttest.Entry{other(2, 300)}, 1) // leaked to one peer
	own := filepath.Join(dir, "own.tsv")
	if err := os.WriteFile(own, []byte("# ours\n"+all[1].Prefix.String()+"\tAS64500\n::10.1.2.0/120 64501\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, dir, []string{few, many, one, own}, nil)
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint32{}
	for _, r := range s.Routes().Rows {
		got[r.Prefix().String()] = r.ASN
	}
	want := map[string]uint32{all[0].Prefix.String(): 100, all[1].Prefix.String(): 64500, "10.1.2.0/24": 64501}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A disk that is full costs the last good table on it, and nothing else.
func TestFullDiskKeepsTheTableInUse(t *testing.T) {
	dir := t.TempDir()
	local := filepath.Join(t.TempDir(), "rib.gz")
	if err := os.WriteFile(local, table(t, 1, 100, 30), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newArchive(t)
	a.put("/rib.gz", table(t, 1, 100, 30))
	s := newService(t, dir, []string{local}, nil)
	web := newService(t, dir, []string{a.URL + "/rib.gz"}, nil)
	if err := os.RemoveAll(dir); err != nil { // nothing can be written there, by root neither
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil || rows(s) != 130 {
		t.Errorf("a local file: %v, %d rows", err, rows(s))
	}
	if err := web.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a download that cannot be written: %v", err)
	}
}

func TestServiceStopsWhileAServerStalls(t *testing.T) {
	a := newArchive(t)
	asked := make(chan struct{}, 10)
	a.failing("/rib.gz", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "BZh9")
		http.NewResponseController(w).Flush()
		asked <- struct{}{}
		<-r.Context().Done()
	})
	f := fetch.New(t.TempDir())
	f.Idle = time.Hour
	s, err := risinfo.New(risinfo.Config{RIBs: []string{a.URL + "/rib.gz"}, Dir: f.Dir, Interval: time.Hour, Fetcher: f})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	<-asked
	done := make(chan struct{})
	go func() { s.Stop(); close(done) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("it does not stop")
	}
}
