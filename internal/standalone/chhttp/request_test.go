package chhttp

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

func TestFormatOfTheOutput(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1":               "Native",
		"SELECT 1 FORMAT JSON":   "JSON",
		"SELECT 1 format CSV;\n": "CSV",
		"SELECT 1\nFORMAT TSV\nSETTINGS max_threads=1":  "TSV",
		"SELECT 'FORMAT CSV'":                           "Native",
		"INSERT INTO t FORMAT CSV":                      "Native",
		"SELECT formatDateTime(now(), '%F') AS format1": "Native",
	} {
		r, _ := http.NewRequest("POST", "/?default_format=Native", strings.NewReader(sql))
		q, err := parseRequest(r, 1000)
		if err != nil || q.format != want {
			t.Errorf("%s: got %v, %v, want %s", sql, q, err, want)
		}
	}
}

// FuzzParseRequest feeds arbitrary queries, bodies and headers: whatever comes
// must be a request or an exception, and never more than the limit.
func FuzzParseRequest(f *testing.F) {
	f.Add("query=SELECT+1&param_a=b&max_threads=1", []byte("SELECT 1"), "gzip", "")
	f.Add("decompress=1&client_protocol_version=54483", []byte("\x1f\x8b\x08"), "", "gzip")
	f.Add("%zz;;&&=", []byte{}, "br;q=0, zstd", "zstd")
	f.Fuzz(func(t *testing.T, query string, body []byte, accept, encoding string) {
		const limit = 1 << 12
		r := &http.Request{Method: "POST", URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{}, Body: http.NoBody}
		r.Header.Set("Accept-Encoding", accept)
		r.Header.Set("Content-Encoding", encoding)
		r.Body = readCloser{bytes.NewReader(body)}
		q, err := parseRequest(r, limit)
		var exception *chdb.Error
		if err != nil {
			if !errors.As(err, &exception) || exception.Code == 0 {
				t.Fatalf("%v is no exception", err)
			}
			return
		}
		if len(q.query.SQL) > limit+len(query)+1 {
			t.Fatalf("%d bytes of SQL from a limit of %d", len(q.query.SQL), limit)
		}
		for name := range q.query.Settings {
			if notSettings[name] || strings.HasPrefix(name, "param_") {
				t.Fatalf("%s became a setting", name)
			}
		}
	})
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
