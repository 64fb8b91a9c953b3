package console

import (
	"context"
	"database/sql"
	"time"
)

// maxExporters is how many exporters the page lists.
const maxExporters = 100

const exportersQuery = `
SELECT
    replaceOne(IPv6NumToString(SamplerAddress), '::ffff:', '') AS address,
    transform(toInt8(FlowType), [1, 2, 3, 4], ['sFlow', 'NetFlow v5', 'NetFlow v9', 'IPFIX'], 'other') AS protocol,
    sum(flows) AS all_flows,
    sum(bits) AS all_bits,
    sum(packets) AS all_packets,
    min(lowest_rate) AS rate_from,
    max(highest_rate) AS rate_to,
    arraySort(groupUniqArrayArray(rate_sources)) AS sources,
    max(last) AS last_seen,
    groupArray(slot) AS slots,
    groupArray(bits) AS slot_bits,
    count() OVER () AS exporters
FROM
(
    SELECT
        SamplerAddress,
        FlowType,
        toUInt32(intDiv(toUnixTimestamp(TimeReceived) - ?, ?)) AS slot,
        count() AS flows,
        sum(toFloat64(Bytes) * 8 * SamplingRate) AS bits,
        sum(toFloat64(Packets) * SamplingRate) AS packets,
        min(SamplingRate) AS lowest_rate,
        max(SamplingRate) AS highest_rate,
        groupUniqArray(toString(SamplingRateSource)) AS rate_sources,
        max(TimeReceived) AS last
    FROM flows_raw
    WHERE TimeReceived >= toDateTime(?, 'UTC') AND TimeReceived < toDateTime(?, 'UTC')
    GROUP BY SamplerAddress, FlowType, slot
)
GROUP BY SamplerAddress, FlowType
ORDER BY all_bits DESC, SamplerAddress, FlowType
LIMIT ?`

// exporters are the senders of flows within a window, most traffic first.
type exporters struct {
	Window    string     `json:"window"`
	Refresh   float64    `json:"refresh"`
	Total     uint64     `json:"total"` // of which Exporters lists at most maxExporters
	Exporters []exporter `json:"exporters"`
}

// exporter is what one address sent by one protocol.
type exporter struct {
	Address     string    `json:"address"`
	Protocol    string    `json:"protocol"`
	Flows       uint64    `json:"flows"`   // records as received
	Bits        float64   `json:"bits"`    // per second, mean over the window
	Packets     float64   `json:"packets"` // per second, mean over the window
	RateFrom    uint64    `json:"rate_from"`
	RateTo      uint64    `json:"rate_to"`
	RateSources []string  `json:"rate_sources"` // of packet, options, configured, unknown, unspecified
	LastSeen    int64     `json:"last_seen"`    // seconds since 1970
	Series      []float64 `json:"series"`       // bits per second, oldest first
}

func (d database) exporters(ctx context.Context, w window, s span) (exporters, error) {
	// A flow that arrives between here and the end of the last bucket is as new as
	// any: an exporter's last sign of life must not lag by a bucket.
	until := s.to + s.bucket + int64(settle/time.Second)
	result := exporters{Window: w.name, Refresh: w.refresh.Seconds(), Exporters: []exporter{}}
	args := []any{s.from, s.slot, s.from, until, maxExporters}
	err := d.rows(ctx, "exporters", exportersQuery, args, func(rows *sql.Rows) error {
		var e exporter
		var bits, packets float64
		var last time.Time
		var slots []uint32
		var slotBits []float64
		if err := rows.Scan(&e.Address, &e.Protocol, &e.Flows, &bits, &packets, &e.RateFrom, &e.RateTo,
			&e.RateSources, &last, &slots, &slotBits, &result.Total); err != nil {
			return err
		}
		e.Bits, e.Packets = bits/s.seconds(), packets/s.seconds()
		e.LastSeen = last.Unix()
		e.Series = make([]float64, (s.to-s.from)/s.slot)
		for i, slot := range slots {
			if int(slot) < len(e.Series) {
				e.Series[slot] = slotBits[i] / float64(s.slot)
			}
		}
		result.Exporters = append(result.Exporters, e)
		return nil
	})
	return result, err
}
