package exporter

import "math/rand/v2"

// limiter keeps about so many of the flows of each second, chosen at random, and says
// by what each has to be multiplied so that sums stay right in expectation. Times are
// nanoseconds.
//
// One in factor flows is kept. At the beginning of a second the factor is what the
// second before would have needed. Within a second it doubles whenever more is kept
// than its budget allows by then, so that a burst after a quiet second is thinned
// out before it is over. A flow's chance is always decided before the flow is seen:
// otherwise the sums would lean to one side.
type limiter struct {
	limit  uint64 // flows a second
	random *rand.PCG

	second int64 // the one at hand
	seen   uint64
	kept   uint64
	factor uint64
	over   uint64 // flows that were allowed beyond the budget, one step each time the factor doubled
}

const nanoseconds = 1_000_000_000

func newLimiter(limit, seed uint64) *limiter {
	return &limiter{limit: limit, random: rand.NewPCG(seed, limit), second: -1, factor: 1}
}

// keep decides about a flow that was received at now. Factor counts if it is kept.
func (l *limiter) keep(now int64) (keep bool, factor uint64) {
	// Sockets that read at the same time may be a little apart: no way back for those.
	if second := now / nanoseconds; second > l.second || second < l.second-1 {
		l.begin(second)
	}
	factor = l.factor
	l.seen++
	if factor > 1 && l.random.Uint64()%factor != 0 {
		return false, factor
	}
	l.kept++
	if l.kept > l.budget(now%nanoseconds)+l.over {
		l.factor *= 2
		l.over += max(1, l.limit/32)
	}
	return true, factor
}

// begin starts a second with the factor that the last would have needed; one that did
// not directly follow says nothing.
func (l *limiter) begin(second int64) {
	l.factor = 1
	if second == l.second+1 {
		l.factor = max(1, (l.seen+l.limit-1)/l.limit)
	}
	l.second, l.seen, l.kept, l.over = second, 0, 0, 0
}

// budget is how many flows may be kept in so much of a second: half of the limit at
// once, because exporters send in bursts, and the other half as time goes by.
func (l *limiter) budget(elapsed int64) uint64 {
	half := (l.limit + 1) / 2
	return half + (l.limit-half)*uint64(elapsed)/nanoseconds
}
