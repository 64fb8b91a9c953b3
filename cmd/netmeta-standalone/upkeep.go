package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/leoluk/NetMeta/internal/retention"
)

const diskEvery = time.Minute

// keepUp looks after what is stored, until the program stops.
func (s *standalone) keepUp(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.keepDiskFree(ctx)
		disk := time.NewTicker(diskEvery)
		defer disk.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-disk.C:
				s.keepDiskFree(ctx)
			}
		}
	}()
	s.onStop(func() {
		cancel()
		<-done
	})
	return nil
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
