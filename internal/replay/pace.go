package replay

import (
	"context"
	"time"
)

// fileClock relates the time of capture of a file's datagrams to that of their replay.
type fileClock struct {
	captured, replayed time.Time // of the first datagram; zero before
}

// due returns when a datagram that was captured at the given time is to be sent. The
// first is due now, the others speed times as fast as they were captured.
func (c *fileClock) due(captured, now time.Time, speed float64) time.Time {
	if c.replayed.IsZero() {
		c.captured, c.replayed = captured, now
	}
	return c.replayed.Add(time.Duration(float64(captured.Sub(c.captured)) / speed))
}

// lag is how far a sender may fall behind its rate before the datagrams it missed are
// put off rather than sent in one burst.
const lag = 5 * time.Millisecond

// rateClock spreads datagrams evenly.
type rateClock struct {
	next time.Time
}

// due returns when the next datagram of a steady rate a second is to be sent.
func (c *rateClock) due(now time.Time, rate float64) time.Time {
	due := c.next
	if earliest := now.Add(-lag); due.Before(earliest) {
		due = now
	}
	c.next = due.Add(time.Duration(float64(time.Second) / rate))
	return due
}

// wait returns when the next datagram is due, or false when ctx has ended before.
func (s *sender) wait(ctx context.Context, clock *fileClock, captured time.Time) bool {
	now := time.Now()
	var due time.Time
	if s.Speed > 0 && !captured.IsZero() {
		due = clock.due(captured, now, s.Speed)
	} else {
		due = s.steady.due(now, s.Rate)
	}
	if !now.Before(due) {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(due.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
