package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/retention"
)

const (
	diskEvery    = time.Minute
	rollupsEvery = time.Hour
	// rollupsBack is how far rollups are compared while the program runs. When it starts,
	// all of them are.
	rollupsBack = 26 * time.Hour
)

// keepUp looks after what is stored, until the program stops.
func (s *standalone) keepUp(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.repairRollups(ctx, time.Time{})
		s.keepDiskFree(ctx)
		disk, rollups := time.NewTicker(diskEvery), time.NewTicker(rollupsEvery)
		defer disk.Stop()
		defer rollups.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-disk.C:
				s.keepDiskFree(ctx)
			case <-rollups.C:
				s.repairRollups(ctx, time.Now().Add(-rollupsBack))
			}
		}
	}()
	s.onStop(func() {
		cancel()
		<-done
	})
	return nil
}

func (s *standalone) repairRollups(ctx context.Context, since time.Time) {
	err := clickhouse.RepairRollups(ctx, s.db, since, func(h clickhouse.RollupHour) {
		if h.Repaired {
			slog.Info("standalone: the sums by minute and hour are those of the flows again", "hour", h.Hour.UTC(), "flows", h.Raw)
		}
	})
	if err != nil && ctx.Err() == nil {
		slog.Error("standalone: the sums by minute and hour could not be compared with the flows; that is tried again within an hour", "error", err)
	}
}

// keepDiskFree drops old flows where the disk is fuller than --retention-disk allows.
func (s *standalone) keepDiskFree(ctx context.Context) {
	if s.retentionDisk == 0 {
		return
	}
	_, err := retention.KeepBelow(ctx, s.db, s.retentionDisk)
	if err != nil && !s.diskTooFull && ctx.Err() == nil {
		slog.Error("standalone: --retention-disk cannot be kept, which is tried each minute", "error", err)
	}
	s.diskTooFull = err != nil // which is said once
}
