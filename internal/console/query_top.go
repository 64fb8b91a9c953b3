package console

import (
	"context"
	"database/sql"
	"fmt"
)

// topRows is how many rows a table of top talkers has.
const topRows = 10

// A dimension is something by which traffic can be broken down. Its SQL is part of
// the program; a request only names it.
type dimension struct {
	name  string
	key   string // expression of flows_raw to group by
	label string // text for a person, made from key
}

const addressLabel = `if(key = toIPv6('::'), 'no address', replaceOne(IPv6NumToString(key), '::ffff:', ''))`
const asLabel = `if(key = 0, 'unknown AS', concat('AS', toString(key)))`

// A service is known by the lower port of the two: the other is the client's.
const serviceKey = `(Proto, if(Proto IN (6, 17, 132), least(SrcPort, DstPort), 0))`
const serviceLabel = `concat(
        transform(key.1, [1, 2, 6, 17, 47, 50, 58, 132], ['ICMP', 'IGMP', 'TCP', 'UDP', 'GRE', 'ESP', 'ICMPv6', 'SCTP'], concat('protocol ', toString(key.1))),
        if(key.2 = 0, '', concat(' ', toString(key.2))))`

var dimensions = []dimension{
	{name: "source", key: "SrcAddr", label: addressLabel},
	{name: "destination", key: "DstAddr", label: addressLabel},
	{name: "source-as", key: "SrcAS", label: asLabel},
	{name: "destination-as", key: "DstAS", label: asLabel},
	{name: "service", key: serviceKey, label: serviceLabel},
}

func dimensionByName(name string) (dimension, error) {
	for _, d := range dimensions {
		if d.name == name {
			return d, nil
		}
	}
	return dimension{}, fmt.Errorf("unknown dimension %q: use source, destination, source-as, destination-as or service", name)
}

const topQuery = `
SELECT
    %s AS label,
    bits,
    packets,
    flows,
    sum(bits) OVER () AS all_bits
FROM
(
    SELECT
        %s AS key,
        sum(toFloat64(Bytes) * 8 * SamplingRate) AS bits,
        sum(toFloat64(Packets) * SamplingRate) AS packets,
        count() AS flows
    FROM flows_raw
    WHERE TimeReceived >= toDateTime(?, 'UTC') AND TimeReceived < toDateTime(?, 'UTC')
    GROUP BY key
)
ORDER BY bits DESC, key
LIMIT ?`

// top is the traffic of a window by one dimension, most first.
type top struct {
	Window  string   `json:"window"`
	Refresh float64  `json:"refresh"`
	Bits    float64  `json:"bits"` // per second, of everything, mean over the window
	Rows    []talker `json:"rows"`
}

type talker struct {
	Label   string  `json:"label"`
	Bits    float64 `json:"bits"`    // per second, mean over the window
	Packets float64 `json:"packets"` // per second, mean over the window
	Flows   uint64  `json:"flows"`
}

func (d database) top(ctx context.Context, by dimension, w window, s span) (top, error) {
	result := top{Window: w.name, Refresh: w.refresh.Seconds(), Rows: []talker{}}
	query := fmt.Sprintf(topQuery, by.label, by.key)
	err := d.rows(ctx, "top talkers", query, []any{s.from, s.to, topRows}, func(rows *sql.Rows) error {
		var t talker
		if err := rows.Scan(&t.Label, &t.Bits, &t.Packets, &t.Flows, &result.Bits); err != nil {
			return err
		}
		t.Bits /= s.seconds()
		t.Packets /= s.seconds()
		result.Bits /= s.seconds()
		result.Rows = append(result.Rows, t)
		return nil
	})
	return result, err
}
