package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// steps are the lengths of buckets that people can tell at a glance.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 7 * day, 30 * day, 365 * day,
}

// Interval returns the length of a bucket for about so many points between from and
// to: the nearest round one, as Grafana has it, but not less than shortest and not
// less than a second, which is the resolution of flows.
func Interval(from, to time.Time, points int, shortest time.Duration) time.Duration {
	shortest = max(shortest, time.Second)
	exact := to.Sub(from) / time.Duration(max(points, 1))
	round := steps[len(steps)-1]
	for i, step := range steps[:len(steps)-1] {
		if exact < (step+steps[i+1])/2 {
			round = step
			break
		}
	}
	return max(round, shortest)
}

// units of periods, longest first. A month has 30 days, as for Grafana.
var units = []struct {
	name   string
	length time.Duration
}{
	{"y", 365 * day}, {"M", 30 * day}, {"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// parsePeriod reads "10s", "5m", "1d", also within quotes.
func parsePeriod(text string) (time.Duration, error) {
	bare := strings.Trim(strings.TrimSpace(text), `'"`)
	digits := strings.TrimRight(bare, "yMwdhms")
	n, err := strconv.ParseInt(digits, 10, 32)
	for _, unit := range units {
		if err == nil && n > 0 && bare[len(digits):] == unit.name {
			if n > int64(365*100*day/unit.length) {
				break
			}
			return time.Duration(n) * unit.length, nil
		}
	}
	return 0, fmt.Errorf("%q is not a period such as 10s, 5m or 1h", text)
}

// formatPeriod writes a period in its longest unit without a fraction.
func formatPeriod(d time.Duration) string {
	for _, unit := range units {
		if unit.name != "y" && unit.name != "M" && d >= unit.length && d%unit.length == 0 {
			return fmt.Sprint(int64(d/unit.length), unit.name)
		}
	}
	return fmt.Sprint(d.Milliseconds(), "ms")
}
