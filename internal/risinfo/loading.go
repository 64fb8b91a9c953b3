package risinfo

import (
	"context"
	"log/slog"
	"time"
)

const (
	// healInterval is how long flows may wait for a dictionary that was dropped.
	healInterval = 2 * time.Second
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
	routes := s.routes.loadNew(ctx, s)
	names := s.names.loadNew(ctx, s)
	if routes != nil {
		return routes
	}
	return names
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
