package access

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// otherHash is of the reference implementation, cheap to check:
// echo -n 'open sesame' | argon2 saltsaltsalt -id -t 1 -k 8 -p 1 -l 16 -e
const otherHash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$zorTdJ0I8daWAF/0334wsA"

func testPassword(t *testing.T) *Password {
	t.Helper()
	p, err := parseHash(otherHash)
	must(t, err)
	return p
}

// request comes from an address, with header fields as name, value, name, value.
func request(from string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", "/api/login", nil)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 4711).String()
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestAnAddressBeyondLoopbackNeedsToSayWhoMayUseIt(t *testing.T) {
	password := &Password{}
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, c := range []struct {
		name, address string
		config        Config
		want          string
	}{
		{"loopback", "127.0.0.1:8080", Config{}, ""},
		{"another loopback", "127.8.0.1:0", Config{}, ""},
		{"IPv6 loopback", "[::1]:8080", Config{}, ""},
		{"localhost", "localhost:8080", Config{}, ""},
		{"every address", ":8080", Config{}, "--console-password-file"},
		{"every IPv4 address", "0.0.0.0:8080", Config{}, "--console-trusted-header and --console-trusted-proxies"},
		{"every IPv6 address", "[::]:8080", Config{}, "can be reached from other machines"},
		{"another address", "192.0.2.1:8080", Config{}, "can be reached from other machines"},
		{"every address with a password", ":8080", Config{Password: password}, ""},
		{"every address with a proxy", ":8080", Config{Header: "X-User", Proxies: proxies}, ""},
		{"a header without proxies", "127.0.0.1:8080", Config{Header: "X-User"}, "--console-trusted-proxies"},
		{"proxies without a header", "127.0.0.1:8080", Config{Proxies: proxies}, "needs --console-trusted-header"},
		{"proxies that tell addresses only", ":8080", Config{Password: password, Proxies: proxies}, ""},
		{"no address", "8080", Config{}, "--console 8080: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.config.Check(t.Context(), c.address)
			if c.want == "" && err != nil {
				t.Errorf("%v, want nothing", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestProxiesAreRead(t *testing.T) {
	got, err := ParseProxies([]string{"192.0.2.7/24", " 2001:db8::1"})
	if err != nil || len(got) != 2 || got[0].String() != "192.0.2.0/24" || got[1].String() != "2001:db8::1/128" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ParseProxies([]string{"proxy.example"}); err == nil || !strings.Contains(err.Error(), `"proxy.example" is not an address`) {
		t.Errorf("a name: %v", err)
	}
}

func TestAHashIsOfOnePasswordOnly(t *testing.T) {
	hash, err := HashPassword("correct horse")
	must(t, err)
	file := filepath.Join(t.TempDir(), "hash")
	must(t, os.WriteFile(file, []byte(hash+"\n"), 0o600))
	p, err := ReadPassword(file)
	must(t, err)
	if !p.matches("correct horse") || p.matches("correct horsf") || p.matches("") || p.matches(strings.Repeat("x", 2000)) {
		t.Error("the hash matches another password, or not its own")
	}
	again, err := HashPassword("correct horse")
	must(t, err)
	if again == hash {
		t.Error("two hashes of a password are the same: there is no salt")
	}
}

func TestAHashOfAnotherProgramIsRead(t *testing.T) {
	p, err := parseHash(otherHash)
	must(t, err)
	if !p.matches("open sesame") || p.matches("open sesami") {
		t.Error("the hash of another program does not match its password only")
	}
}

func TestAFileWithoutAHashSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"a password", "secret", 0o600, "netmeta-standalone hash-password makes one"},
		{"nothing", "", 0o600, "it is not an argon2id hash"},
		{"a hash of bcrypt", "$2y$10$abcdefghijklmnopqrstuv", 0o600, "it is not an argon2id hash"},
		{"another version", "$argon2id$v=16$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", 0o600, "it is not an argon2id hash"},
		{"no salt", "$argon2id$v=19$m=65536,t=3,p=4$$AAAAAAAAAAAAAAAAAAAAAA", 0o600, "it is not an argon2id hash"},
		{"no sum", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$", 0o600, "it is not an argon2id hash"},
		{"a terabyte", "$argon2id$v=19$m=1073741824,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", 0o600, "its cost, m=1073741824"},
		{"no passes", "$argon2id$v=19$m=65536,t=0,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", 0o600, "its cost"},
		{"a file for everybody to write", "x", 0o666, "chmod o-w"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "hash")
			must(t, os.WriteFile(file, []byte(c.content), c.mode))
			must(t, os.Chmod(file, c.mode)) // past the umask
			if _, err := ReadPassword(file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := ReadPassword("/nowhere"); err == nil || !strings.Contains(err.Error(), "read the password's hash: open /nowhere") {
		t.Errorf("no file: %v", err)
	}
	if _, err := HashPassword("short"); err == nil || !strings.Contains(err.Error(), "8 to 1000 bytes") {
		t.Errorf("a short password: %v", err)
	}
}

// login logs in and returns a request of the session.
func login(t *testing.T, k *Keeper) *http.Request {
	t.Helper()
	cookie, err := k.Login(request("192.0.2.1"), "open sesame")
	must(t, err)
	r := request("192.0.2.1")
	r.AddCookie(cookie)
	return r
}

func TestASessionLastsUntilLogoutOrDisuse(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	k := New(Config{Password: testPassword(t), Now: func() time.Time { return now }})
	if _, ok := k.User(request("192.0.2.1")); ok {
		t.Error("somebody without a session is let in")
	}
	r, other := login(t, k), login(t, k)
	for range 3 {
		now = now.Add(sessionIdle - time.Second)
		if name, ok := k.User(r); !ok || name != PasswordUser {
			t.Errorf("a session in use: %q, %t", name, ok)
		}
	}
	if _, ok := k.User(other); ok {
		t.Error("a session that was not used lasts")
	}
	if cookie := k.Logout(r); cookie.MaxAge >= 0 || cookie.Value != "" {
		t.Errorf("logging out leaves the cookie %s", cookie)
	}
	if _, ok := k.User(r); ok {
		t.Error("a session lasts beyond logging out")
	}
	forged := request("192.0.2.1")
	forged.AddCookie(&http.Cookie{Name: cookieName, Value: "AAAA"})
	if _, ok := k.User(forged); ok {
		t.Error("a cookie that somebody has made up is a session")
	}
}

func TestTheCookieIsForThisSiteAndNotForScripts(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	k := New(Config{Password: testPassword(t), Proxies: proxy})
	for _, c := range []struct {
		from, proto string
		secure      bool
	}{{"192.0.2.1", "https", true}, {"192.0.2.1", "http", false}, {"198.51.100.1", "https", false}} {
		cookie, err := k.Login(request(c.from, "X-Forwarded-Proto", c.proto), "open sesame")
		must(t, err)
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure != c.secure || len(cookie.Value) < 26 {
			t.Errorf("from %s by %s: %s", c.from, c.proto, cookie)
		}
	}
}

func TestAttemptsOfASourceAreLimited(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	k := New(Config{Password: testPassword(t), Now: func() time.Time { return now }})
	attempt := func(from, password string) error {
		_, err := k.Login(request(from), password)
		return err
	}
	for i := range attempts {
		// All of a /64 are one.
		from := netip.MustParseAddr("2001:db8::").As16()
		from[15] = byte(i)
		if err := attempt(netip.AddrFrom16(from).String(), "wrong"); !errors.Is(err, ErrWrong) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	var tooMany *TooManyError
	if err := attempt("2001:db8::99", "open sesame"); !errors.As(err, &tooMany) || tooMany.Wait != attemptEvery || !strings.Contains(err.Error(), "too many attempts from 2001:db8::/64: wait 15 s") {
		t.Fatalf("one too many: %v", err)
	}
	if err := attempt("2001:db8:0:1::1", "open sesame"); err != nil {
		t.Errorf("another source: %v", err)
	}
	now = now.Add(attemptEvery)
	if err := attempt("2001:db8::99", "open sesame"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := attempt("2001:db8::99", "wrong"); !errors.Is(err, ErrWrong) {
		t.Errorf("after a success: %v", err)
	}
}

func TestAttemptsBehindAProxyAreThoseOfItsClients(t *testing.T) {
	c := Config{Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	for _, test := range []struct {
		name, from, forwarded, want string
	}{
		{"no proxy", "198.51.100.1", "203.0.113.1", "198.51.100.1"},
		{"a proxy", "192.0.2.1", "203.0.113.1", "203.0.113.1"},
		{"two proxies", "192.0.2.1", "203.0.113.1, 192.0.2.2", "203.0.113.1"},
		{"a client that makes up another", "192.0.2.1", "198.51.100.7, 203.0.113.1", "203.0.113.1"},
		{"nothing readable", "192.0.2.1", "unknown", "192.0.2.1"},
		{"nothing", "192.0.2.1", "", "192.0.2.1"},
		{"mapped", "::ffff:192.0.2.1", "::ffff:203.0.113.1", "203.0.113.1"},
	} {
		if got := c.source(request(test.from, "X-Forwarded-For", test.forwarded)); got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestAHeaderCountsFromTrustedProxiesOnly(t *testing.T) {
	k := New(Config{Header: "X-Forwarded-User", Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	for _, c := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"from the proxy", request("192.0.2.1", "X-Forwarded-User", "alice"), "alice"},
		{"from elsewhere", request("198.51.100.1", "X-Forwarded-User", "alice"), ""},
		{"by way of the proxy's header", request("198.51.100.1", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-User", "alice"), ""},
		{"without the header", request("192.0.2.1"), ""},
		{"with an empty one", request("192.0.2.1", "X-Forwarded-User", ""), ""},
		{"with a second one", request("192.0.2.1", "X-Forwarded-User", "alice", "X-Forwarded-User", "bob"), ""},
	} {
		if name, ok := k.User(c.r); name != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %t; want %q", c.name, name, ok, c.want)
		}
	}
	if _, err := k.Login(request("192.0.2.1"), "x"); !errors.Is(err, ErrNoPassword) {
		t.Errorf("logging in without a password: %v", err)
	}
}

func BenchmarkMatches(b *testing.B) {
	hash, err := HashPassword("correct horse")
	if err != nil {
		b.Fatal(err)
	}
	p, err := parseHash(hash)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.matches("correct horse")
	}
}
