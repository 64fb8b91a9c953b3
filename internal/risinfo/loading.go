package risinfo

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

const (
	// healInterval is how long flows may wait for a dictionary that was dropped.
	healInterval = time.Second
	// reloadInterval is when loading is tried again that failed.
	reloadInterval = 30 * time.Second
	// loadTimeout is far above what a full table takes on a busy machine.
	loadTimeout = 10 * time.Minute
)

// loading brings tables into ClickHouse when there are new ones, and looks after the
// dictionaries, until ctx ends. ClickHouse may be away or without the schema: what cannot be
// done is tried again.
func (s *Service) loading(ctx context.Context) {
	var since time.Time // of the last attempt that failed
	ready, failing := false, false
	tick := time.NewTicker(healInterval)
	defer tick.Stop()
	for {
		err := s.heal(ctx, &ready)
		if err == nil && time.Since(since) >= reloadInterval {
			if err = s.load(ctx); err != nil {
				since = time.Now()
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			slog.Error("risinfo: ClickHouse does not have the newest tables; that is tried again", "error", err)
		}
		failing = err != nil || time.Since(since) < reloadInterval
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) heal(ctx context.Context, ready *bool) error {
	ctx, cancel := context.WithTimeout(ctx, reloadInterval)
	defer cancel()
	if !*ready {
		if err := s.config.Loader.Ready(ctx); err != nil {
			return err
		}
		*ready = true
	}
	healed, err := s.config.Loader.Heal(ctx)
	if healed {
		s.routes.loaded, s.names.loaded = nil, nil
	}
	return err
}

// load loads what ClickHouse does not have.
func (s *Service) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return cmp.Or(s.routes.loadNew(ctx, s), s.names.loadNew(ctx, s), s.routes.note(ctx, s), s.names.note(ctx, s))
}

// ending is how a refresh ended that made no new table.
type ending struct {
	at  time.Time
	err string // empty: all sources are there, and none has changed
}

// noteInterval is when the same is noted again.
const noteInterval = time.Hour

// note has as_loads say that the sources could not be read, or that they have not changed:
// otherwise a table that is as it should be looks as old as one that nobody looks after.
func (k *kind[Row]) note(ctx context.Context, s *Service) error {
	e := k.ended.Swap(nil)
	if e == nil || e.err == k.noted.err && e.at.Sub(k.noted.at) < noteInterval {
		return nil
	}
	table := k.current.Load()
	var err error
	switch {
	case e.err != "":
		err = s.config.Loader.Note(ctx, k.table, "failed", 0, time.Unix(0, 0), e.err)
	case table != nil && table == k.loaded:
		err = s.config.Loader.Note(ctx, k.table, "loaded", len(table.Rows), e.at, "unchanged: "+table.From)
	default:
		return nil
	}
	if err == nil {
		k.noted = *e
	}
	return err
}

func (k *kind[Row]) loadNew(ctx context.Context, s *Service) error {
	table := k.current.Load()
	if table == nil || table == k.loaded {
		return nil
	}
	// After a restart, ClickHouse may have the table already.
	if built, err := s.config.Loader.Built(ctx, k.table); err == nil && !built.IsZero() && !built.Before(table.Built.Truncate(time.Second)) {
		k.loaded = table
		return nil
	}
	began := time.Now()
	if err := k.load(ctx, table); err != nil {
		loads.WithLabelValues(k.label, outcomeFailed).Inc()
		return err
	}
	loads.WithLabelValues(k.label, outcomeNew).Inc()
	slog.Info("risinfo: ClickHouse has the new table", "table", k.label, "rows", len(table.Rows), "seconds", int(time.Since(began).Seconds()))
	k.loaded = table
	return nil
}
