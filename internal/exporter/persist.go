package exporter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	saves = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_exporter_saves_total",
		Help: "Attempts to save the state of exporters, by result: ok or failed. While they fail, a restart loses templates and sampling rates: see the log for why.",
	}, []string{"result"})
	savesOK     = saves.WithLabelValues("ok")
	savesFailed = saves.WithLabelValues("failed")

	lastSave = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_exporter_last_save_timestamp_seconds",
		Help: "When the state of exporters was last saved, seconds since 1970.",
	})
)

const (
	// saveChanged is how long after a save the next may follow if a template, a rate or
	// a name has changed since.
	saveChanged = 10 * time.Second
	// saveAlways is when the next follows even if only sequence numbers have.
	saveAlways = time.Minute
)

// LoadFile loads the file at path that Persist has written. That there is none is no
// error. Any other leaves t usable, with what could be read: the state is worth less
// than a collector that starts, so callers log it and go on.
func (t *Table) LoadFile(path string, now time.Time) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the state of exporters: %w", err)
	}
	defer file.Close()
	if err := t.Load(file, now); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// SaveFile puts the state of t in place of the file at path, which holds either the
// old or the new state at any time, and can be read by its owner only.
func (t *Table) SaveFile(path string, now time.Time) error {
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o600), renameio.IgnoreUmask())
	if err != nil {
		return fmt.Errorf("save the state of exporters to %s: %w", path, err)
	}
	defer file.Cleanup()
	if err := t.Save(file, now); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("save the state of exporters to %s: %w", path, err)
	}
	return nil
}

// Persist keeps the file at path up to date until ctx is done, and saves a last time
// then: it has to be waited for. It writes every minute, or 10 seconds after the last
// time if exporters have said something new. What fails is logged, counted and tried
// again; the error is that of the last save.
func Persist(ctx context.Context, t *Table, path string) error {
	ticker := time.NewTicker(saveChanged)
	defer ticker.Stop()
	p := persister{table: t, path: path, saved: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return p.save(time.Now())
		case now := <-ticker.C:
			t.catchUp()
			if p.due(now) {
				if err := p.save(now); err != nil {
					slog.Warn("exporter: state is not saved", "error", err)
				}
			}
		}
	}
}

// persister knows what was last saved and when.
type persister struct {
	table   *Table
	path    string
	saved   time.Time
	changes uint64
}

func (p *persister) due(now time.Time) bool {
	since := now.Sub(p.saved)
	return since >= saveAlways || since >= saveChanged && p.table.changes.Load() != p.changes
}

func (p *persister) save(now time.Time) error {
	changes := p.table.changes.Load() // before: what changes meanwhile is saved next time
	if err := p.table.SaveFile(p.path, now); err != nil {
		savesFailed.Inc()
		return err
	}
	p.saved, p.changes = now, changes
	savesOK.Inc()
	lastSave.Set(float64(now.Unix()))
	return nil
}
