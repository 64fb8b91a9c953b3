package metrics

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Busy notices work that does not come to its end, such as the decoding of a datagram
// on a goroutine that has more to read: it is the Probe of a live Check. The zero Busy
// is idle. One goroutine works, any other may probe.
type Busy struct {
	since atomic.Int64 // Unix time in nanoseconds; 0: idle
}

// Begin notes that work has begun at a time.
func (b *Busy) Begin(at time.Time) { b.since.Store(at.UnixNano()) }

// End notes that the work has ended.
func (b *Busy) End() { b.since.Store(0) }

// Probe fails if the work at hand had begun before now by more than limit.
func (b *Busy) Probe(now time.Time, limit time.Duration) error {
	since := b.since.Load()
	if since == 0 {
		return nil
	}
	if lasting := now.Sub(time.Unix(0, since)); lasting > limit {
		return fmt.Errorf("stuck for %v in what takes microseconds", lasting.Round(time.Second))
	}
	return nil
}
