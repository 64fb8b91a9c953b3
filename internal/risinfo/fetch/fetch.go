// Package fetch gets files from web servers and keeps the last good one of each on disk. It
// asks only for what has changed, tries again where that may help, and takes nothing whose
// checksum is wrong.
package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/buildinfo"
)

// Fetcher gets files. Its fields may be changed before it is used first.
type Fetcher struct {
	Dir      string // for files from web servers; it has to exist
	Client   *http.Client
	Attempts int           // at a file, before the one of before is used
	Backoff  time.Duration // before the second attempt; doubled before each further one
	Idle     time.Duration // without a byte from the server, after which an attempt has failed
	MaxBytes int64         // of a file, as it is sent
	Now      func() time.Time
}

// New returns a Fetcher that keeps files in dir.
func New(dir string) *Fetcher {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.DisableCompression = true // what is compressed already would be so twice
	return &Fetcher{
		Dir: dir, Client: &http.Client{Transport: transport},
		Attempts: 4, Backoff: 5 * time.Second, Idle: time.Minute, MaxBytes: 2 << 30, Now: time.Now,
	}
}

// File is what a source has. One that is New is used for good with Keep, or thrown away with
// Discard, after it was looked at.
type File struct {
	Path string
	New  bool // it is not the one of before, or that is not known

	keep, discard func() error
}

// Keep makes the file the last good one of its source.
func (f File) Keep() error {
	if f.keep == nil {
		return nil
	}
	return f.keep()
}

// Discard removes the file; the last good one stays.
func (f File) Discard() error {
	if f.discard == nil {
		return nil
	}
	return f.discard()
}

// Get gets the file of a source: a path, or an http or https URL. In a URL, %Y, %m, %d and %H
// stand for year, month, day and hour (UTC): the newest file of the last day, at even hours,
// is taken. With #md5 or #sha256 behind it, the checksum has to be that in the file beside
// it, which has .md5 or .sha256 behind its name.
//
// What cannot be had is an error; Last has the file of before.
func (f *Fetcher) Get(ctx context.Context, source string) (File, error) {
	if !IsURL(source) {
		if _, err := os.Stat(source); err != nil {
			return File{}, err
		}
		return File{Path: source, New: true}, nil
	}
	var failed error
	for attempt := range f.Attempts {
		if attempt > 0 {
			pause := f.Backoff << (attempt - 1)
			pause += time.Duration(rand.Int64N(int64(pause)/4 + 1))
			slog.Warn("risinfo: a download failed and is tried again", "source", source, "in", pause.Round(time.Millisecond), "error", failed)
			if err := sleep(ctx, pause); err != nil {
				return File{}, errors.Join(failed, err)
			}
		}
		file, err := f.attempt(ctx, source)
		if err == nil {
			return file, nil
		}
		failed = err
		if ctx.Err() != nil || !worthwhile(err) {
			break
		}
	}
	return File{}, failed
}

// Last returns the last good file of a source, if there is one.
func (f *Fetcher) Last(source string) (File, bool) {
	if !IsURL(source) {
		return File{}, false
	}
	path := f.path(source)
	if _, err := os.Stat(path); err != nil {
		return File{}, false
	}
	return File{Path: path}, true
}

// IsURL says whether a source is on a web server.
func IsURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// attempt tries all addresses that a source may have at the moment, newest first.
func (f *Fetcher) attempt(ctx context.Context, source string) (File, error) {
	address, checksum, _ := strings.Cut(source, "#")
	if checksum != "" && checksum != "md5" && checksum != "sha256" {
		return File{}, permanent{fmt.Errorf("%s: the checksum has to be #md5 or #sha256", source)}
	}
	var failed error
	for _, url := range Expand(address, f.Now()) {
		file, err := f.download(ctx, source, url, checksum)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
		failed = err
	}
	return File{}, failed
}

// Expand returns the addresses that a URL with %Y, %m, %d, %H stands for: those of the last
// 24 hours, at even hours, newest first. A URL without them stands for itself.
func Expand(url string, now time.Time) []string {
	if !strings.Contains(url, "%H") {
		return []string{expand(url, now)}
	}
	var all []string
	slot := now.UTC().Truncate(2 * time.Hour)
	for range 12 {
		all = append(all, expand(url, slot))
		slot = slot.Add(-2 * time.Hour)
	}
	return all
}

func expand(url string, t time.Time) string {
	t = t.UTC()
	return strings.NewReplacer("%Y", t.Format("2006"), "%m", t.Format("01"), "%d", t.Format("02"), "%H", t.Format("15")).Replace(url)
}

// about is what is known of a file that is kept.
type about struct {
	URL          string    `json:"url"`
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	Fetched      time.Time `json:"fetched"`
}

func (f *Fetcher) readAbout(source string) (a about) {
	if _, err := os.Stat(f.path(source)); err != nil {
		return about{}
	}
	text, err := os.ReadFile(f.path(source) + ".json")
	if err != nil || json.Unmarshal(text, &a) != nil {
		return about{}
	}
	return a
}

func (f *Fetcher) download(ctx context.Context, source, url, checksum string) (File, error) {
	have := f.readAbout(source)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return File{}, permanent{err}
	}
	request.Header.Set("User-Agent", "NetMeta/"+buildinfo.Version()+" (netmeta risinfo)")
	if have.URL == url {
		if have.ETag != "" {
			request.Header.Set("If-None-Match", have.ETag)
		}
		if have.LastModified != "" {
			request.Header.Set("If-Modified-Since", have.LastModified)
		}
	}
	body, response, err := f.do(request)
	if err != nil {
		return File{}, err
	}
	defer body.Close()
	if response.StatusCode == http.StatusNotModified {
		return File{Path: f.path(source)}, nil
	}
	if err := checkResponse(response); err != nil {
		return File{}, err
	}
	fresh := f.path(source) + ".new"
	sum, err := f.store(fresh, body, checksum)
	if err == nil && checksum != "" {
		err = f.verify(ctx, url, checksum, sum)
	}
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("GET %s: %w", url, err), remove(fresh))
	}
	now := about{URL: url, ETag: response.Header.Get("ETag"), LastModified: response.Header.Get("Last-Modified"), Fetched: f.Now().UTC()}
	return File{
		Path: fresh, New: true,
		keep:    func() error { return f.keep(source, fresh, now) },
		discard: func() error { return remove(fresh) },
	}, nil
}

// keep takes a file over. A crash between the two steps costs a download.
func (f *Fetcher) keep(source, fresh string, now about) error {
	text, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return err
	}
	path := f.path(source)
	if err := remove(path + ".json"); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return os.WriteFile(path+".json", text, 0o600)
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// path is where the last good file of a source is.
func (f *Fetcher) path(source string) string {
	return filepath.Join(f.Dir, fileName(source))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
