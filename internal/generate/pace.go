package generate

import "time"

const (
	slice = time.Millisecond     // a sender sleeps this long between two sends
	burst = 5 * time.Millisecond // at most this much traffic is made up for at once
)

// pacer says how many records are due, so that they leave evenly. What a late caller
// missed beyond burst is not made up for: receivers lose bursts, not averages. It
// reads no clock.
type pacer struct {
	rate   float64 // records a second; may be changed between calls
	burst  time.Duration
	credit float64
	last   time.Duration
}

// newPacer returns a pacer whose first record is due at once.
func newPacer(rate float64) *pacer { return &pacer{rate: rate, burst: burst, credit: 1} }

// newDemoPacer returns one for a sender that asks every demoStep.
func newDemoPacer(rate float64) *pacer { return &pacer{rate: rate, burst: 2 * demoStep} }

// take returns how many records to send now, elapsed since the start, and how long to
// wait before asking again.
func (p *pacer) take(elapsed time.Duration) (due int, wait time.Duration) {
	p.credit += p.rate * (elapsed - p.last).Seconds()
	p.credit = min(p.credit, max(1, p.rate*p.burst.Seconds()))
	p.last = elapsed
	due = int(p.credit)
	p.credit -= float64(due)
	next := time.Duration((1 - p.credit) / p.rate * float64(time.Second))
	return due, max(slice, next)
}
