package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// permanent is an error that another attempt would not change.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

func worthwhile(err error) bool {
	return !errors.As(err, new(permanent)) && !errors.Is(err, fs.ErrNotExist)
}

// do sends a request. The body ends with an error where the server sends nothing for Idle.
func (f *Fetcher) do(request *http.Request) (io.ReadCloser, *http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	watch := time.AfterFunc(f.Idle, func() { cancel(fmt.Errorf("no byte came for %s", f.Idle)) })
	response, err := f.Client.Do(request.WithContext(ctx))
	if err != nil {
		watch.Stop()
		if cause := context.Cause(ctx); cause != nil && request.Context().Err() == nil {
			err = fmt.Errorf("GET %s: %w", request.URL, cause)
		}
		cancel(nil)
		return nil, nil, err
	}
	return &body{ReadCloser: response.Body, ctx: ctx, cancel: cancel, watch: watch, idle: f.Idle}, response, nil
}

type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  *time.Timer
	idle   time.Duration
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.Reset(b.idle)
	}
	if cause := context.Cause(b.ctx); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

func (b *body) Close() error {
	b.watch.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}

func checkResponse(response *http.Response) error {
	url := response.Request.URL
	switch code := response.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("GET %s: %s: %w", url, response.Status, fs.ErrNotExist)
	case code == http.StatusOK:
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("GET %s: %s", url, response.Status)
	default:
		return permanent{fmt.Errorf("GET %s: %s", url, response.Status)}
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		return permanent{fmt.Errorf("GET %s: the server answers with a web page (text/html) instead of the file: look at it in a browser, a proxy or a sign-in may stand between", url)}
	}
	return nil
}

// store writes what comes to a file, and returns its checksum.
func (f *Fetcher) store(path string, from io.Reader, checksum string) (sum string, err error) {
	to, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", permanent{err}
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	var h hash.Hash = sha256.New()
	if checksum == "md5" { // what registries publish; it finds damage, and no more
		h = md5.New()
	}
	n, err := io.Copy(io.MultiWriter(to, h), io.LimitReader(from, f.MaxBytes+1))
	if err != nil {
		return "", err
	}
	if n > f.MaxBytes {
		return "", permanent{fmt.Errorf("it has more than %d bytes", f.MaxBytes)}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

var hexSum = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b`)

// verify compares a checksum with the one in the file beside a file.
func (f *Fetcher) verify(ctx context.Context, url, checksum, sum string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"."+checksum, nil)
	if err != nil {
		return permanent{err}
	}
	body, response, err := f.do(request)
	if err != nil {
		return fmt.Errorf("get its checksum: %w", err)
	}
	defer body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get its checksum from %s: %s", request.URL, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(body, 1<<16))
	if err != nil {
		return fmt.Errorf("get its checksum: %w", err)
	}
	want := hexSum.FindString(string(text))
	if want == "" {
		return fmt.Errorf("%s has no checksum", request.URL)
	}
	if !strings.EqualFold(want, sum) {
		return fmt.Errorf("its %s checksum is %s, it should be %s: it was damaged, or has changed meanwhile", checksum, sum, strings.ToLower(want))
	}
	return nil
}

// fileName is a name for a source that a person recognizes, and that no other source has.
func fileName(source string) string {
	sum := sha256.Sum256([]byte(source))
	readable := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			return c
		}
		return '_'
	}, strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(source), "https://"), "http://"))
	return fmt.Sprintf("%.80s-%x", readable, sum[:4])
}
