package generate

import "time"

// hourly is the load at each full hour relative to the mean of the day: the trough is
// early in the morning, the peak in the evening.
var hourly = normalised([24]float64{
	0.75, 0.55, 0.42, 0.36, 0.34, 0.38, 0.50, 0.68, 0.85, 0.98, 1.05, 1.10,
	1.15, 1.13, 1.10, 1.12, 1.18, 1.28, 1.42, 1.55, 1.62, 1.56, 1.35, 1.05,
})

func normalised(hours [24]float64) [24]float64 {
	sum := 0.0
	for _, v := range hours {
		sum += v
	}
	for i := range hours {
		hours[i] *= float64(len(hours)) / sum
	}
	return hours
}

// curve returns the normal load at the time of day of t, in t's location, relative to
// the mean of a day.
func curve(t time.Time) float64 {
	hour, minute, second := t.Clock()
	next := hourly[(hour+1)%24]
	passed := float64(minute*60+second) / 3600
	return hourly[hour] + (next-hourly[hour])*passed
}

// attackSlot is the length of attackAt's slots where they go by time.
const attackSlot = 2 * time.Hour

// load returns the load at t relative to the mean of a day without attacks, and the
// attack that is part of it.
func (p *population) load(seed uint64, t time.Time) (total float64, a attack) {
	slot := t.UnixNano() / int64(attackSlot)
	position := float64(t.UnixNano()%int64(attackSlot)) / float64(attackSlot)
	a = p.attackAt(seed, slot, position)
	return curve(t) + a.strength, a
}
