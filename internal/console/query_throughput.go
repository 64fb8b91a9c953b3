package console

import (
	"context"
	"database/sql"
)

// The sampling rate is multiplied in floating point: one exporter that claims an
// absurd rate must not wrap the sum around.
const throughputQuery = `
SELECT
    toUInt32(intDiv(toUnixTimestamp(TimeReceived) - ?, ?)) AS bucket,
    sumIf(toFloat64(Bytes) * 8 * SamplingRate, FlowDirection != 1) AS bits_in,
    sumIf(toFloat64(Bytes) * 8 * SamplingRate, FlowDirection = 1) AS bits_out,
    sumIf(toFloat64(Packets) * SamplingRate, FlowDirection != 1) AS packets_in,
    sumIf(toFloat64(Packets) * SamplingRate, FlowDirection = 1) AS packets_out
FROM flows_raw
WHERE TimeReceived >= toDateTime(?, 'UTC') AND TimeReceived < toDateTime(?, 'UTC')
GROUP BY bucket`

// throughput is traffic over time, estimated from the samples, per second. Every
// slice has a value for every bucket, oldest first.
type throughput struct {
	From    int64      `json:"from"`   // start of the first bucket, seconds since 1970
	Bucket  int64      `json:"bucket"` // length of a bucket in seconds
	Window  string     `json:"window"`
	Refresh float64    `json:"refresh"`
	Bits    directions `json:"bits"`
	Packets directions `json:"packets"`
}

// directions are rates by the side of the interface on which a flow was seen.
type directions struct {
	In  []float64 `json:"in"`
	Out []float64 `json:"out"`
}

func (d database) throughput(ctx context.Context, w window, s span) (throughput, error) {
	n := (s.to - s.from) / s.bucket
	t := throughput{
		From: s.from, Bucket: s.bucket, Window: w.name, Refresh: w.refresh.Seconds(),
		Bits:    directions{In: make([]float64, n), Out: make([]float64, n)},
		Packets: directions{In: make([]float64, n), Out: make([]float64, n)},
	}
	seconds := float64(s.bucket)
	err := d.rows(ctx, "throughput", throughputQuery, []any{s.from, s.bucket, s.from, s.to}, func(rows *sql.Rows) error {
		var bucket uint32
		var bitsIn, bitsOut, packetsIn, packetsOut float64
		if err := rows.Scan(&bucket, &bitsIn, &bitsOut, &packetsIn, &packetsOut); err != nil {
			return err
		}
		t.Bits.In[bucket], t.Bits.Out[bucket] = bitsIn/seconds, bitsOut/seconds
		t.Packets.In[bucket], t.Packets.Out[bucket] = packetsIn/seconds, packetsOut/seconds
		return nil
	})
	return t, err
}
