package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/renameio/v2"
)

// Where Google's tokens come from, and the keys that sign them.
const (
	GoogleIssuer = "https://accounts.google.com"
	GoogleKeys   = "https://www.googleapis.com/oauth2/v3/certs"
)

// Verifier checks tokens by which a push subscription says who it is (OpenID Connect Core
// 1.0, section 3.1.3.7; "Authenticate push subscriptions" in Google's documentation).
type Verifier struct {
	Issuer   string
	Audience string
	Email    string // of the service account. Anybody at Google can have a token made for an audience
	Keys     *Keys
}

const leeway = time.Minute // of clocks

// Verify returns nil for a token that is good now.
func (v *Verifier) Verify(ctx context.Context, token string) error {
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return err
	}
	if len(signed.Headers) != 1 {
		return errors.New("it has not one signature")
	}
	key, err := v.Keys.find(ctx, signed.Headers[0].KeyID)
	if err != nil {
		return err
	}
	var claims jwt.Claims
	var who struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := signed.Claims(key, &claims, &who); err != nil {
		return err
	}
	if claims.Expiry == nil {
		return errors.New("it does not expire")
	}
	expected := jwt.Expected{Issuer: v.Issuer, AnyAudience: jwt.Audience{v.Audience}, Time: time.Now()}
	if err := claims.ValidateWithLeeway(expected, leeway); err != nil {
		return err
	}
	if who.Email != v.Email || !who.Verified {
		return errors.New("it is of another service account")
	}
	return nil
}

// Keys are those that tokens are signed with, as their issuer publishes them (RFC 7517).
// What was read last is good until something newer is read, also in the next process: a
// network that is away for a while stops nothing.
type Keys struct {
	source string // URL or file
	cache  string // file

	fetching sync.Mutex // one at a time
	mu       sync.Mutex
	set      jose.JSONWebKeySet
	tried    time.Time // when source was asked last
}

const (
	keysAge     = time.Hour        // after which keys are read anew
	keysPause   = 30 * time.Second // between two attempts at least
	keysTimeout = 10 * time.Second
	maxKeys     = 1 << 20 // bytes
)

var errNoKeys = errors.New("the keys that sign tokens cannot be read")

// OpenKeys reads keys from source, a URL or a file, and keeps them in cache for a start at
// which source is away.
func OpenKeys(ctx context.Context, source, cache string) *Keys {
	k := &Keys{source: source, cache: cache}
	if b, err := os.ReadFile(cache); err == nil {
		_ = json.Unmarshal(b, &k.set) // or they are read below
	}
	k.refresh(ctx)
	return k
}

// find returns the key with an id. Keys that are old, and an id that nobody knows, make it
// read them anew.
func (k *Keys) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	key, known, age := k.look(id)
	switch {
	case known && age > keysAge:
		if k.fetching.TryLock() {
			go func() {
				defer k.fetching.Unlock()
				k.fetch(context.WithoutCancel(ctx))
			}()
		}
	case !known && age > keysPause:
		k.refresh(ctx)
		key, known, _ = k.look(id)
	}
	if known {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.set.Keys) == 0 {
		return jose.JSONWebKey{}, errNoKeys
	}
	return jose.JSONWebKey{}, errors.New("it is signed with a key that its issuer does not publish")
}

func (k *Keys) look(id string) (key jose.JSONWebKey, known bool, age time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.set.Key(id) {
		if key.IsPublic() && key.Use != "enc" {
			return key, true, time.Since(k.tried)
		}
	}
	return key, false, time.Since(k.tried)
}

// refresh reads the keys anew, unless that was tried just now.
func (k *Keys) refresh(ctx context.Context) {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	if _, _, age := k.look(""); age >= keysPause {
		k.fetch(ctx)
	}
}

func (k *Keys) fetch(ctx context.Context) {
	set, raw, err := readKeys(ctx, k.source)
	k.mu.Lock()
	k.tried = time.Now()
	if err == nil {
		k.set = set
	}
	had := len(k.set.Keys)
	k.mu.Unlock()
	if err == nil {
		err = renameio.WriteFile(k.cache, raw, 0o600)
	}
	if err != nil {
		slog.Warn("import: the keys that sign tokens cannot be read or kept; it is tried again", "from", k.source, "error", err, "keys", had)
	}
}

func readKeys(ctx context.Context, source string) (set jose.JSONWebKeySet, raw []byte, err error) {
	if raw, err = readSource(ctx, source); err == nil {
		err = json.Unmarshal(raw, &set)
	}
	if err == nil && len(set.Keys) == 0 {
		err = errors.New("there are none")
	}
	return set, raw, err
}

func readSource(ctx context.Context, source string) ([]byte, error) {
	if !strings.Contains(source, "://") {
		return os.ReadFile(source)
	}
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", source, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxKeys))
}
