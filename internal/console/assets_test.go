package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestEveryAddressOfThePageServesIt(t *testing.T) {
	handler := New(unreachable(t))
	for _, address := range []string{"/", "/d/netmeta-overview", "/d/netmeta-overview/overview", "/sql", "/alerts", "/path", "/setup", "/login"} {
		r := get(t, handler, "GET", address, nil)
		if text := body(t, r); r.StatusCode != http.StatusOK || !strings.Contains(text, `<main id="main"`) {
			t.Errorf("%s: status %s, want the page", address, r.Status)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q, want no-cache: the page names the files of its version", address, got)
		}
		if policy := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") {
			t.Errorf("%s: Content-Security-Policy = %q", address, policy)
		}
	}
	for _, address := range []string{"/d/", "/nothing", "/index.html", "/assets/index.js", "/assets/", "/dist/index.html"} {
		if r := get(t, handler, "GET", address, nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %s, want 404", address, r.Status)
		}
	}
}

func TestThePageIsWhatThePolicyAllows(t *testing.T) {
	text := body(t, get(t, New(unreachable(t)), "GET", "/", nil))
	for _, inline := range []string{"<style", " style=", " onload=", " onclick=", "javascript:"} {
		if strings.Contains(text, inline) {
			t.Errorf("the page contains %q, which its Content-Security-Policy refuses", inline)
		}
	}
	if scripts := regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`).FindAllStringSubmatch(text, -1); len(scripts) != 1 || scripts[0][1] != "" {
		t.Errorf("scripts of the page: %q, want one without content", scripts)
	}
	files := regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(text, -1)
	if len(files) < 3 {
		t.Fatalf("the page names %d files: %q", len(files), files)
	}
	for _, file := range files {
		if r := get(t, New(unreachable(t)), "GET", file[1], nil); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %s", file[1], r.Status)
		}
	}
}

func TestBrowsersMayKeepFilesWithTheirHashInTheName(t *testing.T) {
	handler := New(unreachable(t))
	hashed := regexp.MustCompile(`^assets/.+-[\w-]{8}\.(js|css)$`)
	kept := 0
	for name := range loadAssets() {
		if name == "index.html" {
			continue
		}
		r := get(t, handler, "GET", "/"+name, http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %s", name, r.Status)
		}
		if immutable := strings.Contains(r.Header.Get("Cache-Control"), "immutable"); immutable != hashed.MatchString(name) {
			t.Errorf("%s: Cache-Control %q", name, r.Header.Get("Cache-Control"))
		} else if immutable {
			kept++
		}
		if r.Header.Get("Content-Encoding") == "gzip" {
			if plain := get(t, handler, "GET", "/"+name, nil); plain.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s is sent compressed to a client that did not ask for it", name)
			}
		} else if size := r.ContentLength; strings.HasSuffix(name, ".js") && size > 1000 {
			t.Errorf("%s, %d bytes, is sent uncompressed to a browser that takes gzip", name, size)
		}
	}
	if kept < 10 {
		t.Errorf("%d files may be kept, want the page's scripts and styles", kept)
	}
}

func TestLicencesOfTheLibrariesAreServed(t *testing.T) {
	text := body(t, get(t, New(unreachable(t)), "GET", "/licenses.txt", nil))
	for _, want := range []string{"======== echarts ", "Apache ECharts", "======== zrender ", "======== @codemirror/view ", "======== tslib "} {
		if !strings.Contains(text, want) {
			t.Errorf("/licenses.txt does not contain %q", want)
		}
	}
}
