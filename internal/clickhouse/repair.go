package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// keys are the columns of a rollup that tell its rows apart, behind the time.
const keys = "SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto, ServicePort, SrcAS, DstAS"

// correction is what has to be added to a rollup for it to have the sums of flows_raw
// over an hour: mostly what it lacks. Where it has too much, the numbers wrap around.
const correction = `
SELECT
    time, ` + keys + `,
    toUInt64(sumIf(flows, of_raw) - sumIf(flows, NOT of_raw)) AS Flows,
    toUInt64(sumIf(bytes, of_raw) - sumIf(bytes, NOT of_raw)) AS Bytes,
    toUInt64(sumIf(packets, of_raw) - sumIf(packets, NOT of_raw)) AS Packets,
    countIf(of_raw) = 0 AS not_in_raw
FROM
(
    SELECT
        {start}(flows_raw.TimeReceived) AS time, SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto,
        servicePort(Proto, SrcPort, DstPort) AS ServicePort, SrcAS, DstAS,
        toUInt64(1) AS flows, Bytes * SamplingRate AS bytes, Packets * SamplingRate AS packets, true AS of_raw
    FROM flows_raw
    WHERE flows_raw.TimeReceived >= {from} AND flows_raw.TimeReceived < {to}
    UNION ALL
    SELECT TimeReceived AS time, ` + keys + `, Flows AS flows, Bytes AS bytes, Packets AS packets, false AS of_raw
    FROM {table}
    WHERE TimeReceived >= {from} AND TimeReceived < {to}
)
GROUP BY time, ` + keys + `
HAVING (Flows, Bytes, Packets) != (0, 0, 0)`

// RepairRollups makes the rollups as flows_raw in every hour from since on in which they
// are not: after an insert of which ClickHouse, killed, stored one part only, and for
// flows that were stored before there were rollups. It calls each with what was found of
// each hour. What flows_raw has lost, but the rollups have, stays.
//
// While it is at an hour, nothing is stored. It waits while another instance repairs or
// migrates: one would let flows in that the other does not expect.
func RepairRollups(ctx context.Context, db *sql.DB, since time.Time, each func(RollupHour)) error {
	lock, err := acquire(ctx, db)
	if err != nil {
		return err
	}
	defer lock.release()
	if err := openGate(ctx, db); err != nil {
		return err
	}
	hours, err := CheckRollups(ctx, db, since)
	if err != nil {
		return err
	}
	for _, h := range hours {
		if err := errors.Join(ctx.Err(), lock.held()); err != nil {
			return err
		}
		if err := repairHour(ctx, db, h.Hour, each); err != nil {
			return fmt.Errorf("repair the rollups of %s: %w", h.Hour.UTC().Format(time.DateTime), err)
		}
	}
	return nil
}

func repairHour(ctx context.Context, db *sql.DB, hour time.Time, each func(RollupHour)) error {
	var wrapped []string // tables of which something was taken away
	err := withGateClosed(ctx, db, func() error {
		found, err := findDiffering(ctx, db, hour, hour.Add(time.Hour))
		if err != nil || len(found) == 0 {
			return err // It only seemed so.
		}
		h := found[0].RollupHour
		for i, r := range rollups {
			// Once more: the one before has got into this one.
			left, err := findDiffering(ctx, db, hour, hour.Add(time.Hour))
			if err != nil {
				return err
			}
			if len(left) == 0 || !left[0].differs[i] {
				continue
			}
			sums := within(correction, hour, hour.Add(time.Hour), "{start}", r.start, "{table}", r.table)
			var fewer, less bool
			if err := db.QueryRowContext(ctx, `SELECT max(not_in_raw), max(least(toInt64(Flows), toInt64(Bytes), toInt64(Packets)) < 0) FROM (`+sums+`)`).Scan(&fewer, &less); err != nil {
				return err
			}
			if fewer {
				h.Fewer = true
				break
			}
			if less {
				wrapped = rollupsFrom(i)
			}
			if _, err := db.ExecContext(ctx, `INSERT INTO `+r.table+` SELECT * EXCEPT not_in_raw FROM (`+sums+`)`); err != nil {
				return err
			}
			h.Repaired = true
		}
		each(h)
		return nil
	})
	if err != nil {
		return err
	}
	return settle(ctx, db, hour, wrapped)
}

func rollupsFrom(i int) (tables []string) {
	for _, r := range rollups[i:] {
		tables = append(tables, r.table)
	}
	return tables
}

// settle merges rows that were taken away with those that they were taken from, so that
// nobody sees the wrapped numbers. It may be done while flows are stored.
func settle(ctx context.Context, db *sql.DB, hour time.Time, tables []string) error {
	for _, table := range tables {
		var partition string
		err := db.QueryRowContext(ctx, within(`SELECT any(_partition_id) FROM `+table+` WHERE TimeReceived >= {from} AND TimeReceived < {to}`, hour, hour.Add(time.Hour))).Scan(&partition)
		if err == nil && partition != "" {
			_, err = db.ExecContext(ctx, `OPTIMIZE TABLE `+table+` PARTITION ID `+Literal(partition)+` FINAL`)
		}
		if err != nil {
			return fmt.Errorf("merge the corrections of %s: %w", table, err)
		}
	}
	return nil
}
