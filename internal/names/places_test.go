package names_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/geoip/geoiptest"
	"github.com/leoluk/NetMeta/internal/names"
)

func placesAreSeen(t *testing.T, db, reader *sql.DB) {
	for _, statement := range []string{
		"SYSTEM RELOAD DICTIONARY Places", // which the test before may have left full
		"INSERT INTO flows_raw (TimeReceived, SrcAddr, DstAddr) VALUES (now(), '::ffff:198.51.100.7', '2001:db8::7'), (now(), '::ffff:203.0.113.1', '::')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	seen := func() string {
		return ask(t, reader, "SELECT arrayStringConcat(arraySort(groupArray(concat(SrcCountry, '/', SrcCity, '>', DstCountry, '/', DstCity))), ' ') FROM flows")
	}
	loads := func() string {
		return ask(t, reader, "SELECT arrayStringConcat(groupArray(concat(toString(Outcome), ' ', toString(Rows))), ', ') FROM (SELECT * FROM as_loads WHERE Table = 'places' ORDER BY Time)")
	}
	const nothing, good, moved = "/>/ />/", "/>/ NL/Amsterdam>DE/", "/>/ NL/'s-Hertogenbosch \\>DE/"

	dir := t.TempDir()
	file, settings := filepath.Join(dir, "places.mmdb"), filepath.Join(dir, "names.cue")
	put := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(file+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	database := func(places map[string]geoip.Place) []byte {
		b, err := os.ReadFile(geoiptest.Database(t, places))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	now := time.Now()
	step := func(s *names.Service, what, want, wantLoads string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			now = now.Add(20 * time.Second)
			s.Step(t.Context(), now)
			got, gotLoads := seen(), loads()
			if got == want && gotLoads == wantLoads {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("%s: flows are of %q, want %q; loads %q, want %q", what, got, want, gotLoads, wantLoads)
			}
		}
		// What is refused is not taken a little later either.
		for range 4 {
			now = now.Add(40 * time.Second)
			s.Step(t.Context(), now)
		}
		if got, gotLoads := seen(), loads(); got != want || gotLoads != wantLoads {
			t.Fatalf("%s: in the end flows are of %q, want %q; loads %q, want %q", what, got, want, gotLoads, wantLoads)
		}
	}

	write(t, settings, fmt.Sprintf("geoip: {file: %q, interval: \"1s\"}", file))
	s := start(t, names.Config{DB: db, File: settings})
	step(s, "no file", nothing, "failed 0")
	first := database(map[string]geoip.Place{
		"198.51.100.0/24": {Country: "NL", City: "Amsterdam"}, "2001:db8::/32": {Country: "DE"}, "192.0.2.0/25": {Country: "FR", City: "Lyon"}, "192.0.2.128/25": {Country: "FR", City: "Lyon"},
	})
	put(first)
	step(s, "a database", good, "failed 0, loaded 3")
	put([]byte("<!DOCTYPE html>"))
	step(s, "a page", good, "failed 0, loaded 3, failed 0")
	put(first[:len(first)/2])
	step(s, "half of it, which looks the same", good, "failed 0, loaded 3, failed 0")
	put(database(map[string]geoip.Place{"198.51.100.0/24": {Country: "XX"}}))
	step(s, "too small a database", good, "failed 0, loaded 3, failed 0, failed 0")
	if got := ask(t, reader, "SELECT argMax(Message, Time) FROM as_loads"); !strings.Contains(got, "it knows 50 % of the IPv4 addresses") {
		t.Errorf("it is refused, since %q", got)
	}
	put(database(map[string]geoip.Place{"198.51.100.0/23": {Country: "NL", City: "'s-Hertogenbosch \\"}, "2001:db8::/32": {Country: "DE"}}))
	step(s, "another", moved, "failed 0, loaded 3, failed 0, failed 0, loaded 2")

	t.Run("after a restart it is not loaded again", func(t *testing.T) {
		step(start(t, names.Config{DB: db, File: settings}), "a restart", moved, "failed 0, loaded 3, failed 0, failed 0, loaded 2")
	})
	t.Run("without a database nothing is known", func(t *testing.T) {
		write(t, settings, "hosts: {}")
		step(start(t, names.Config{DB: db, File: settings}), "no database", nothing, "failed 0, loaded 3, failed 0, failed 0, loaded 2, loaded 0")
	})
	t.Run("by a URL, on condition", func(t *testing.T) {
		var asked, unchanged atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1); r.Header.Get("If-None-Match") == `"1"` {
				unchanged.Add(1)
			}
			w.Header().Set("ETag", `"1"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(first))
		}))
		defer server.Close()
		write(t, settings, fmt.Sprintf("geoip: {url: %q, interval: \"1s\"}", server.URL+"/GeoLite2-City.mmdb"))
		step(start(t, names.Config{DB: db, File: settings}), "a URL", good, "failed 0, loaded 3, failed 0, failed 0, loaded 2, loaded 0, loaded 3")
		if asked.Load() < 2 || asked.Load() != unchanged.Load()+1 {
			t.Errorf("%d requests, %d of them on condition", asked.Load(), unchanged.Load())
		}
	})
	for _, name := range []string{"SrcCountry", "SrcCity", "DstCountry", "DstCity"} {
		if got := ask(t, reader, "SELECT any(toTypeName("+name+")) FROM flows"); got != "String" {
			t.Errorf("%s is %s", name, got)
		}
	}
}
