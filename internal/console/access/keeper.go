package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	cookieName = "netmeta_session"
	// sessionIdle is how long a session lasts that is not used.
	sessionIdle = 7 * 24 * time.Hour
	// maxSessions and maxSources bound what is remembered; the oldest go first.
	maxSessions = 1000
	maxSources  = 10_000
	// attempts of one source: so many at once, then one in attemptEvery.
	attempts     = 5
	attemptEvery = 15 * time.Second
)

// PasswordUser is the name of somebody who has logged in with the password.
const PasswordUser = "password"

// ErrWrong is a password that is not the one.
var ErrWrong = errors.New("this is not the password")

// ErrNoPassword is an attempt to log in where there is no password to log in with.
var ErrNoPassword = errors.New("this console has no password: come through the proxy that asks for the login")

// TooManyError is an attempt of a source that has made too many.
type TooManyError struct {
	Source netip.Prefix
	Wait   time.Duration // until the next attempt
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many attempts from %s: wait %.0f s", e.Source, math.Ceil(e.Wait.Seconds()))
}

// Keeper lets people in. Its methods may be called concurrently.
type Keeper struct {
	config   Config
	now      func() time.Time
	hashing  chan struct{} // one at a time, as a hash takes 64 MiB
	mu       sync.Mutex
	sessions *lru.Cache[[sha256.Size]byte, time.Time] // until when, by the hash of the token
	sources  *lru.Cache[netip.Prefix, *rate.Limiter]
}

// New returns a keeper by what config says.
func New(config Config) *Keeper {
	k := &Keeper{config: config, now: config.Now, hashing: make(chan struct{}, 1)}
	if k.now == nil {
		k.now = time.Now
	}
	// The sizes are positive, which is all that can be wrong.
	k.sessions, _ = lru.New[[sha256.Size]byte, time.Time](maxSessions)
	k.sources, _ = lru.New[netip.Prefix, *rate.Limiter](maxSources)
	return k
}

// Restricted reports whether somebody is kept out.
func (k *Keeper) Restricted() bool { return k.config.Restricted() }

// User returns who makes a request; ok is false if nobody who may. The name is empty
// where everybody may.
func (k *Keeper) User(r *http.Request) (name string, ok bool) {
	if !k.Restricted() {
		return "", true
	}
	if k.config.Header != "" && k.config.trusts(peer(r)) {
		// A proxy sends one; of several, one may be its client's.
		if names := r.Header.Values(k.config.Header); len(names) == 1 && names[0] != "" {
			return names[0], true
		}
	}
	if k.config.Password != nil && k.renew(r) {
		return PasswordUser, true
	}
	return "", false
}

// renew finds the session of a request, which lasts anew from now.
func (k *Keeper) renew(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	// By the hash, because a look-up takes a different time for different keys.
	key := sha256.Sum256([]byte(cookie.Value))
	k.mu.Lock()
	defer k.mu.Unlock()
	until, ok := k.sessions.Get(key)
	if !ok || !k.now().Before(until) {
		k.sessions.Remove(key)
		return false
	}
	k.sessions.Add(key, k.now().Add(sessionIdle))
	return true
}

// Login checks a password, and returns the cookie of a new session. Errors are
// ErrWrong, ErrNoPassword, a *TooManyError, or r's context's.
func (k *Keeper) Login(r *http.Request, password string) (*http.Cookie, error) {
	if k.config.Password == nil {
		return nil, ErrNoPassword
	}
	source := sourceNetwork(k.config.source(r))
	if wait := k.attempt(source); wait > 0 {
		return nil, &TooManyError{source, wait}
	}
	matches, err := k.matches(r.Context(), password)
	if err != nil {
		return nil, err
	}
	if !matches {
		slog.Warn("console: somebody tried a wrong password", "source", source)
		return nil, ErrWrong
	}
	slog.Info("console: somebody logged in", "source", source)
	token := rand.Text()
	k.mu.Lock()
	defer k.mu.Unlock()
	// What counts is failed attempts.
	k.sources.Remove(source)
	k.sessions.Add(sha256.Sum256([]byte(token)), k.now().Add(sessionIdle))
	return k.cookie(r, token, int(365*24*time.Hour/time.Second)), nil
}

func (k *Keeper) matches(ctx context.Context, password string) (bool, error) {
	select {
	case k.hashing <- struct{}{}:
		defer func() { <-k.hashing }()
		return k.config.Password.matches(password), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// attempt notes an attempt of a source, and returns how long it has to wait for it.
func (k *Keeper) attempt(source netip.Prefix) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	limiter, ok := k.sources.Get(source)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(attemptEvery), attempts)
		k.sources.Add(source, limiter)
	}
	now := k.now()
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// sourceNetwork is what one source can have addresses of.
func sourceNetwork(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	// No address, of a peer that is none, has no prefix: they share the limit.
	p, _ := a.Prefix(bits)
	return p
}

// Logout ends the session of a request, and returns the cookie that says so.
func (k *Keeper) Logout(r *http.Request) *http.Cookie {
	if cookie, err := r.Cookie(cookieName); err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.sessions.Remove(sha256.Sum256([]byte(cookie.Value)))
	}
	return k.cookie(r, "", -1)
}

func (k *Keeper) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: k.config.encrypted(r),
	}
}
