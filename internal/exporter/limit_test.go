package exporter

import (
	"math"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
)

// offered returns how many flows are offered in each of a number of seconds.
func steady(seconds, flows int) []int {
	all := make([]int, seconds)
	for i := range all {
		all[i] = flows
	}
	return all
}

func TestLimitKeepsAboutSoManyAndSumsStayRight(t *testing.T) {
	const limit = 2000
	for _, test := range []struct {
		name    string
		offered []int
		burst   int     // flows that arrive at once
		most    float64 // kept in any second, as a multiple of the limit
		within  float64 // of the truth is the scaled sum, as a fraction
	}{
		{"far below the limit", steady(10, 500), 1, 0.25, 0},
		{"just below the limit", steady(10, limit), 1, 1, 0},
		{"a little above", steady(20, 2100), 1, 1.1, 0.03},
		{"ten times", steady(20, 10*limit), 1, 1.05, 0.03},
		{"a hundred times", steady(10, 100*limit), 1, 1.15, 0.03},
		{"ten times, in bursts of 500", steady(20, 10*limit), 500, 1.05, 0.03},
		{"every other second fifty times", []int{100_000, 100, 100_000, 100, 100_000, 100, 100_000, 100, 100_000, 100}, 1, 1.15, 0.05},
		{"growing", []int{100, 1000, 5000, 20_000, 50_000, 100_000, 200_000, 200_000}, 1, 1.15, 0.05},
		{"half of the limit at once", steady(10, limit/2), limit / 2, 0.5, 0},
		{"all of a second at once", steady(20, 20*limit), 20 * limit, 1, 0.05},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLimiter(limit, 7)
			truth, scaled, most := 0, uint64(0), uint64(0)
			for second, flows := range test.offered {
				for i := range flows {
					at := int64(i-i%test.burst) * nanoseconds / int64(flows)
					keep, factor := l.keep(int64(second)*nanoseconds + at)
					if keep {
						scaled += factor
					}
				}
				truth += flows
				most = max(most, l.kept)
			}
			if most > uint64(test.most*limit) {
				t.Errorf("%d flows were kept in a second, want at most %.2f times %d", most, test.most, limit)
			}
			off := float64(scaled)/float64(truth) - 1
			t.Logf("at most %d flows a second, sum off by %+.2f %%", most, 100*off)
			if math.Abs(off) > test.within {
				t.Errorf("the sum is off by %+.2f %%, want at most %.0f %%", 100*off, 100*test.within)
			}
		})
	}
}

// Over many runs the error has no direction.
func TestLimitDoesNotLeanToOneSide(t *testing.T) {
	const runs, flows = 300, 5000
	sum := 0.0
	for seed := range uint64(runs) {
		l := newLimiter(100, seed)
		for i := range int64(2 * flows) {
			if keep, factor := l.keep(i * nanoseconds / flows); keep {
				sum += float64(factor)
			}
		}
	}
	if mean := sum / runs; math.Abs(mean/(2*flows)-1) > 0.02 {
		t.Errorf("on average %.0f flows, want %d", mean, 2*flows)
	}
}

func TestFlowsOfSocketsThatAreALittleApartShareASecond(t *testing.T) {
	l := newLimiter(100, 7)
	for i := range int64(100_000) {
		l.keep(10*nanoseconds + i%2*-1000) // around the turn of a second
	}
	if l.kept > 300 {
		t.Errorf("%d flows were kept in an instant, want about 100", l.kept)
	}
}

func TestKeepCountsWhatItLeavesOut(t *testing.T) {
	table := NewTable(Config{Overrides: overrides(t, `{"0.0.0.0": {}, "0.0.0.1": {"maxFlowsPerSecond": 10}}`)})
	free, limited := table.Get(spoofed(0), start), table.Get(spoofed(1), start)
	for range 10_000 {
		if keep, factor := free.Keep(start); !keep || factor != 1 {
			t.Fatalf("keep %v, factor %d without a limit", keep, factor)
		}
	}
	kept := 0
	for range 10_000 {
		if keep, _ := limited.Keep(start); keep {
			kept++
		}
	}
	limited.Received(flow.SFlow, 1)
	out := int(limited.counters.Load().limitedFlows.Load())
	if kept+out != 10_000 || out == 0 {
		t.Errorf("%d kept and %d counted as left out, want 10000 together", kept, out)
	}
}
