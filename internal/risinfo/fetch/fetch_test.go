package fetch

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func newFetcher(t *testing.T) *Fetcher {
	f := New(t.TempDir())
	f.Backoff, f.Attempts = time.Millisecond, 3
	f.Now = func() time.Time { return time.Date(2026, 3, 1, 1, 30, 0, 0, time.UTC) }
	return f
}

func serve(t *testing.T, files map[string]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, exists := files[r.URL.Path]
		if !exists {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestNewestFileOfTheLastDayIsTaken(t *testing.T) {
	got := Expand("http://a/%Y.%m/rib.%Y%m%d.%H00.bz2", time.Date(2026, 3, 1, 1, 30, 0, 0, time.UTC))
	if len(got) != 12 || got[0] != "http://a/2026.03/rib.20260301.0000.bz2" || got[1] != "http://a/2026.02/rib.20260228.2200.bz2" {
		t.Errorf("got %q", got)
	}
	if got := Expand("http://a/latest-%Y.gz", time.Date(2026, 3, 1, 1, 30, 0, 0, time.UTC)); !slices.Equal(got, []string{"http://a/latest-2026.gz"}) {
		t.Errorf("without an hour: got %q", got)
	}
	web := serve(t, map[string]string{"/rib.20260228.2000": "newest", "/rib.20260228.1800": "older"})
	file, err := newFetcher(t).Get(t.Context(), web.URL+"/rib.%Y%m%d.%H00")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file.Path); err != nil || string(text) != "newest" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestChecksumHasToMatch(t *testing.T) {
	const body = "2|ripencc|...\n"
	web := serve(t, map[string]string{
		"/good": body, "/good.md5": fmt.Sprintf("MD5 (good) = %x\n", md5.Sum([]byte(body))),
		"/upper": body, "/upper.sha256": fmt.Sprintf("%X  upper\n", sha256.Sum256([]byte(body))),
		"/wrong": body, "/wrong.md5": fmt.Sprintf("%x\n", md5.Sum(nil)),
		"/empty": body, "/empty.md5": "",
		"/none": body,
	})
	for source, want := range map[string]string{
		"/good#md5": "", "/upper#sha256": "", "/good": "",
		"/wrong#md5": "it should be d41d8cd98f00b204e9800998ecf8427e", "/empty#md5": "has no checksum", "/none#md5": "404", "/good#sha1": "has to be #md5 or #sha256",
	} {
		f := newFetcher(t)
		file, err := f.Get(t.Context(), web.URL+source)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", source, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", source, err, want)
		case want == "" && !file.New:
			t.Errorf("%s is not new", source)
		}
		if left, _ := filepath.Glob(filepath.Join(f.Dir, "*.new")); want != "" && len(left) > 0 {
			t.Errorf("%s: %q is left over", source, left)
		}
	}
}

func TestOnlyWhatMayHelpIsTriedAgain(t *testing.T) {
	for status, want := range map[int]int32{500: 3, 503: 3, 429: 3, 404: 1, 403: 1, 401: 1} {
		var asked atomic.Int32
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
		}))
		_, err := newFetcher(t).Get(t.Context(), web.URL+"/rib.gz")
		web.Close()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) || asked.Load() != want {
			t.Errorf("status %d: asked %d times, want %d; %v", status, asked.Load(), want, err)
		}
	}
}

func TestFileIsTheLastGoodOneOnceItIsKept(t *testing.T) {
	web := serve(t, map[string]string{"/a": "text"})
	f := newFetcher(t)
	source := web.URL + "/a"
	file, err := f.Get(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	if _, exists := f.Last(source); exists {
		t.Error("a file that nobody looked at is the last good one")
	}
	if err := file.Keep(); err != nil {
		t.Fatal(err)
	}
	if last, exists := f.Last(source); !exists || last.New {
		t.Errorf("the last good file is %+v, %v", last, exists)
	}
	f.MaxBytes = 3
	if _, err := f.Get(t.Context(), source); err == nil || !strings.Contains(err.Error(), "more than 3 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
}

func TestContentGoesByItsFirstBytes(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, "64500 EXAMPLE, DE\n")
	w.Close()
	// printf 'hello\n' | bzip2
	const bzipped = "BZh91AY&SY\xc1\xc0\x80\xe2\x00\x00\x01A\x00\x00\x10\x02D\xa0\x000\xcd\x00\xc3F)\x97\x17rE8P\x90\xc1\xc0\x80\xe2"
	for name, test := range map[string]struct {
		file string
		text bool
		want string // of the content, or of the error
	}{
		"text":              {"64500 EXAMPLE, DE\n", true, "64500 EXAMPLE, DE\n"},
		"gzip":              {zipped.String(), true, "64500 EXAMPLE, DE\n"},
		"bzip2":             {bzipped, true, "hello\n"},
		"binary":            {"i\x00\x00\x00\x00\x0d\x00\x01", false, "i\x00\x00\x00\x00\x0d\x00\x01"},
		"empty":             {"", false, "it is empty"},
		"web page":          {"\r\n  <!doctype html>", false, "web page"},
		"half a gzip":       {zipped.String()[:12], false, "unexpected EOF"},
		"no bzip2":          {"BZh9 is how this text begins", false, "bzip2"},
		"gzip of half head": {"\x1f\x8b", false, "gzip"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(test.file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Open(path)
		if err != nil {
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want %q", name, err, test.want)
			}
			continue
		}
		content, err := io.ReadAll(c)
		if err != nil || string(content) != test.want || c.Text != test.text {
			t.Errorf("%s: got %q, text %v, %v", name, content, c.Text, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
