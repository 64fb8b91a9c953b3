// Package origin keeps web pages of others from using a browser to reach what
// listens on this machine or behind its firewall.
package origin

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Guard passes on the requests that do not come from another site's page: those of
// programs, of pages of the same origin, and of people who open a link.
//
// A page of another site cannot read what a cross-origin request answers, but can
// make one that changes or costs something, and can run an answer as a script. Such
// requests get 403, by the browser's word for it (Sec-Fetch-Site, or Origin), and
// answers carry headers that forbid their use as anything else than they are.
//
// A page can also have its own name resolve to a loopback address (DNS rebinding):
// then it is of the same origin. Connections to a loopback address whose Host is
// may be such a name get 421. On other addresses names are as good as
// any, so whoever listens there relies on what is in front.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch {
		case onLoopback(r) && !isLocal(r.Host):
			http.Error(w, fmt.Sprintf("%q is not a name of this machine: use 127.0.0.1 or localhost, also as the Host that a proxy sends", r.Host), http.StatusMisdirectedRequest)
		case isForeign(r):
			http.Error(w, "requests from pages of other sites are refused", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// onLoopback reports whether the request came to a loopback address.
func onLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.IP.IsLoopback()
}

// isLocal reports whether a Host cannot be a name that somebody else gives out: it is
// an address, a name without a dot, such as this machine's own, or below localhost,
// which is for loopback only (RFC 6761 section 6.3).
func isLocal(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return !strings.Contains(name, ".") || strings.HasSuffix(strings.ToLower(name), ".localhost")
}

func isForeign(r *http.Request) bool {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
		return false
	case "":
		from := r.Header.Get("Origin")
		if from == "" {
			return false
		}
		u, err := url.Parse(from)
		return err != nil || !strings.EqualFold(u.Host, r.Host)
	}
	opened := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !opened || r.Method != http.MethodGet
}
