package risinfo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
)

// source is what a source has at the moment.
type source struct {
	name string
	file fetch.File
	last bool // it is the last good file, since the source is away
	err  error
}

// get gets the files of all sources, and says whether any has changed since it was asked
// last. A source that is away stands with its last good file, or with its error.
func (k *kind[Row]) get(ctx context.Context, f *fetch.Fetcher) (found []source, changed bool) {
	k.away = nil
	for _, name := range k.sources {
		s := source{name: name}
		s.file, s.err = f.Get(ctx, name)
		if s.err != nil {
			k.away = errors.Join(k.away, s.err)
			sourceFailures.WithLabelValues(k.label, reasonDownload).Inc()
			slog.Warn("risinfo: a source is away", "source", name, "error", s.err)
			if s.file, s.last = f.Last(name); s.last {
				s.err = nil
			}
		}
		if s.err == nil && !fetch.IsURL(name) {
			s.file.New = k.touched(name)
		}
		changed = changed || s.file.New
		found = append(found, s)
	}
	return found, changed || k.current.Load() == nil
}

// touched says whether a local file has changed since it was asked last.
func (k *kind[Row]) touched(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true
	}
	if k.changed == nil {
		k.changed = map[string]time.Time{}
	}
	before, known := k.changed[path]
	k.changed[path] = info.ModTime()
	return !known || !before.Equal(info.ModTime())
}

// readAll calls read with the path of each source. What was downloaded and cannot be read is
// thrown away, and the last good file is read instead. Where a source has none, the table is
// made of the others; where none has any, that is an error.
func (k *kind[Row]) readAll(ctx context.Context, c Config, found []source, read func(path string) error) (from string, err error) {
	var good []string
	var failed []error
	for _, s := range found {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if s.err == nil {
			s.err = k.readOne(c.Fetcher, s, read)
		}
		if s.err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, s.err))
			continue
		}
		good = append(good, s.name)
	}
	if len(good) == 0 {
		return "", errors.Join(failed...)
	}
	if len(failed) > 0 {
		slog.Warn("risinfo: the table is made without some sources", "table", k.label, "error", errors.Join(failed...))
	}
	return strings.Join(good, " "), nil
}

func (k *kind[Row]) readOne(f *fetch.Fetcher, s source, read func(path string) error) error {
	err := read(s.file.Path)
	if err == nil {
		// Where this fails, the file is downloaded again next time.
		if keepErr := s.file.Keep(); keepErr != nil {
			slog.Warn("risinfo: a file that was downloaded could not be kept", "source", s.name, "error", keepErr)
		}
		return nil
	}
	sourceFailures.WithLabelValues(k.label, reasonContent).Inc()
	slog.Error("risinfo: a source cannot be used", "source", s.name, "error", err)
	if discardErr := s.file.Discard(); discardErr != nil {
		slog.Warn("risinfo: a file that was downloaded could not be removed", "source", s.name, "error", discardErr)
	}
	last, exists := f.Last(s.name)
	if !exists || !s.file.New {
		return err
	}
	if lastErr := read(last.Path); lastErr != nil {
		return errors.Join(err, fmt.Errorf("nor its last good file: %w", lastErr))
	}
	slog.Info("risinfo: the last good file of a source is used", "source", s.name)
	return nil
}
