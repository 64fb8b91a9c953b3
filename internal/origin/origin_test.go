package origin

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	const loopback, outside = "127.0.0.1", "192.0.2.1"
	for _, c := range []struct {
		promise, to, method, host string
		header                    map[string]string
		want                      int
	}{
		{"a program", loopback, "POST", "127.0.0.1:8123", nil, 200},
		{"a program by name", loopback, "POST", "localhost:8123", nil, 200},
		{"a program by IPv6", loopback, "GET", "[::1]:8123", nil, 200},
		{"a name below localhost", loopback, "GET", "netmeta.localhost", nil, 200},
		{"another name on loopback", loopback, "GET", "attacker.example:8080", nil, 421},
		{"a name that looks like localhost", loopback, "GET", "localhost.attacker.example", nil, 421},
		{"the machine's own name", loopback, "GET", "laptop:8080", nil, 200},
		{"another name elsewhere", outside, "GET", "netmeta.example", nil, 200},
		{"the page itself", loopback, "GET", "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200},
		{"the page itself behind a proxy", outside, "POST", "10.0.0.1", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://netmeta.example"}, 200},
		{"an address that was typed", loopback, "GET", "localhost:8080", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"a link that was followed", loopback, "GET", "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"a frame", loopback, "GET", "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{"a form", loopback, "POST", "localhost:8123", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403},
		{"a script", loopback, "GET", "localhost:8123", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a page on another port", loopback, "GET", "localhost:8123", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403},
		{"an older browser, the page itself", outside, "POST", "192.0.2.1:8080", map[string]string{"Origin": "http://192.0.2.1:8080"}, 200},
		{"an older browser, another page", outside, "POST", "192.0.2.1:8080", map[string]string{"Origin": "http://attacker.example"}, 403},
		{"an older browser, a page that hides", outside, "POST", "192.0.2.1:8080", map[string]string{"Origin": "null"}, 403},
	} {
		t.Run(c.promise, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/", nil)
			r.Host = c.host
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(c.to)}))
			w := httptest.NewRecorder()
			Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data") })).ServeHTTP(w, r)
			if w.Code != c.want || (w.Body.String() == "data") != (c.want == 200) {
				t.Errorf("got %d %q, want %d", w.Code, w.Body, c.want)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}
