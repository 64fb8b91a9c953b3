package console

import (
	"fmt"
	"time"
)

// window is a span of time, up to now, that the page can show.
type window struct {
	name    string
	length  time.Duration
	bucket  time.Duration // one point of the chart
	slot    time.Duration // one point of an exporter's sparkline
	refresh time.Duration // how often it is worth asking again
}

// Buckets divide their window, and slots are whole buckets, so that every point
// covers the same time.
var windows = []window{
	{name: "15m", length: 15 * time.Minute, bucket: 5 * time.Second, slot: 30 * time.Second, refresh: 3 * time.Second},
	{name: "1h", length: time.Hour, bucket: 30 * time.Second, slot: 2 * time.Minute, refresh: 6 * time.Second},
	{name: "6h", length: 6 * time.Hour, bucket: 3 * time.Minute, slot: 12 * time.Minute, refresh: 15 * time.Second},
	{name: "24h", length: 24 * time.Hour, bucket: 10 * time.Minute, slot: 40 * time.Minute, refresh: 30 * time.Second},
}

func windowByName(name string) (window, error) {
	for _, w := range windows {
		if w.name == name {
			return w, nil
		}
	}
	return window{}, fmt.Errorf("unknown window %q: use 15m, 1h, 6h or 24h", name)
}

// settle is how long a flow may take from its datagram to its row: later than that
// before now, a bucket would show less traffic than there was.
const settle = 3 * time.Second

// span is the part of time that a window covers: from ≤ t < to, in seconds since
// 1970, both multiples of the bucket.
type span struct {
	from, to int64
	bucket   int64
	slot     int64
}

func (w window) at(now time.Time) span {
	bucket := int64(w.bucket / time.Second)
	to := now.Add(-settle).Unix() / bucket * bucket
	return span{from: to - int64(w.length/time.Second), to: to, bucket: bucket, slot: int64(w.slot / time.Second)}
}

func (s span) seconds() float64 { return float64(s.to - s.from) }
