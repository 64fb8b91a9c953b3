package clickhouse

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rollup is a table with sums of flows_raw.
type rollup struct {
	table string
	start string // SQL function that turns the time of a flow into that of its row
}

// rollups are all of them. What is inserted into one also gets into those behind it.
var rollups = []rollup{{"flows_1m", "toStartOfMinute"}, {"flows_1h", "toStartOfHour"}}

func isRollup(table string) bool {
	return slices.ContainsFunc(rollups, func(r rollup) bool { return r.table == table })
}

// RollupHour is what is stored of an hour, in flows.
type RollupHour struct {
	Hour    time.Time `json:"hour"`
	Raw     uint64    `json:"flows_raw"`
	Minutes uint64    `json:"flows_1m"` // sum of Flows
	Hours   uint64    `json:"flows_1h"`
	// Fewer says that flows_raw has lost flows of the hour that the rollups still have:
	// they are right.
	Fewer bool `json:"raw_incomplete"`
	// Repaired says that the rollups are as flows_raw again.
	Repaired bool `json:"repaired"`
}

// differing finds the hours between two times whose rollups do not have the sums of
// flows_raw, as far as no table has begun to drop their rows by age.
//
// The sums of flows_raw come from its projection, so this reads little.
const differing = `
WITH
    raw AS
    (
        SELECT toStartOfHour(TimeReceived) AS hour, count() AS flows, sum(Bytes * SamplingRate) AS bytes, sum(Packets * SamplingRate) AS packets
        FROM flows_raw
        WHERE TimeReceived >= {from} AND TimeReceived < {to}
        GROUP BY hour
    ),
    minutes AS
    (
        SELECT toStartOfHour(TimeReceived) AS hour, sum(Flows) AS flows, sum(Bytes) AS bytes, sum(Packets) AS packets
        FROM flows_1m
        WHERE TimeReceived >= {from} AND TimeReceived < {to}
        GROUP BY hour
    ),
    hours AS
    (
        SELECT TimeReceived AS hour, sum(Flows) AS flows, sum(Bytes) AS bytes, sum(Packets) AS packets
        FROM flows_1h
        WHERE TimeReceived >= {from} AND TimeReceived < {to}
        GROUP BY hour
    )
SELECT
    hour AS TimeReceived,
    raw.flows AS of_raw,
    minutes.flows AS of_minutes,
    hours.flows AS of_hours,
    (raw.flows, raw.bytes, raw.packets) != (minutes.flows, minutes.bytes, minutes.packets) AND {kept:flows_1m} AS minutes_differ,
    (raw.flows, raw.bytes, raw.packets) != (hours.flows, hours.bytes, hours.packets) AND {kept:flows_1h} AS hours_differ
FROM raw
LEFT JOIN minutes USING (hour)
LEFT JOIN hours USING (hour)
WHERE (minutes_differ OR hours_differ) AND {kept:flows_raw}
ORDER BY hour`

// CheckRollups returns the hours from since on, which may be zero, whose rollups do not have the sums of
// flows_raw. Of hours that flows arrive for, some may only seem so.
func CheckRollups(ctx context.Context, db *sql.DB, since time.Time) ([]RollupHour, error) {
	var hours []RollupHour
	found, err := findDiffering(ctx, db, since, time.Unix(1<<32-1, 0))
	for _, d := range found {
		hours = append(hours, d.RollupHour)
	}
	return hours, err
}

// difference is an hour, and which of rollups differ.
type difference struct {
	RollupHour
	differs [2]bool
}

func findDiffering(ctx context.Context, db *sql.DB, from, to time.Time) (found []difference, err error) {
	fill := []string{}
	for _, table := range []string{"flows_raw", "flows_1m", "flows_1h"} {
		expiry, err := retentionOf(ctx, db, table)
		if err != nil {
			return nil, err
		}
		fill = append(fill, "{kept:"+table+"}", "("+cmp.Or(expiry, "now() + 1")+") > now()")
	}
	rows, err := db.QueryContext(ctx, within(differing, from, to, fill...))
	if err != nil {
		return nil, fmt.Errorf("compare the rollups with flows_raw: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d difference
		if err := rows.Scan(&d.Hour, &d.Raw, &d.Minutes, &d.Hours, &d.differs[0], &d.differs[1]); err != nil {
			return nil, fmt.Errorf("compare the rollups with flows_raw: %w", err)
		}
		found = append(found, d)
	}
	return found, rows.Err()
}

// within fills in the times between which a statement works, and more.
func within(statement string, from, to time.Time, more ...string) string {
	moment := func(t time.Time) string { return fmt.Sprintf("toDateTime(%d, 'UTC')", max(0, t.Unix())) }
	return strings.NewReplacer(append(more, "{from}", moment(from), "{to}", moment(to))...).Replace(statement)
}
