package retention

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var droppedFlows = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_retention_dropped_flows_total",
	Help: "Stored flows that were dropped before they had the age that they are kept for.",
}, []string{"reason"})

// For this reason flows are dropped early.
const reasonDisk = "disk" // the disk was fuller than allowed

func init() { droppedFlows.WithLabelValues(reasonDisk) }

// Day is a day of flows_raw, which is a partition.
type Day struct {
	Day   string `json:"day"` // 2026-03-02
	Flows uint64 `json:"flows"`
	Bytes uint64 `json:"bytes"` // on disk
}

// disk is what the disks of flows_raw hold, in bytes.
type disk struct {
	used, total uint64
	leaving     uint64 // of used: files that ClickHouse is about to delete
}

// excess is how many bytes have to go for the disk to be below share.
func (d disk) excess(share Share) int64 {
	return int64(d.used) - int64(d.leaving) - int64(float64(share)*float64(d.total))
}

// KeepBelow drops the oldest days of flows_raw until the disk that they are on is below
// share. It never drops the newest day: where that is all there is, it returns an error
// that says what can be done. Sums of the flows (flows_1m, flows_1h) stay.
//
// Each dropped day is logged, counted, and returned, also with an error.
func KeepBelow(ctx context.Context, db *sql.DB, share Share) (dropped []Day, err error) {
	d, err := readDisk(ctx, db)
	if err != nil {
		return nil, err
	}
	if d.excess(share) <= 0 {
		return nil, nil
	}
	days, err := readDays(ctx, db)
	if err != nil {
		return nil, err
	}
	drop, left := choose(days, d.excess(share))
	for _, day := range drop {
		if err := dropDay(ctx, db, day); err != nil {
			return dropped, err
		}
		dropped = append(dropped, day)
		droppedFlows.WithLabelValues(reasonDisk).Add(float64(day.Flows))
		slog.Warn("retention: the disk was too full, and the oldest flows were dropped",
			"day", day.Day, "flows", day.Flows, "bytes", day.Bytes, "keep_below", share.String())
	}
	if left <= 0 {
		return dropped, nil
	}
	return dropped, fmt.Errorf("the disk is %.1f %% full, and still above %s after all days of flows but the newest are dropped: %s too much; keep sums for a shorter time (--minutes and --hours of netmeta retention, --retention-minutes and --retention-hours of standalone), remove what else is on the disk, or take a larger one",
		100*float64(d.used)/float64(max(d.total, 1)), share, humanize.IBytes(uint64(left)))
}

// choose returns which days, the oldest first, have to go for excess bytes, and how many
// bytes are missing if all of them go but the newest.
func choose(days []Day, excess int64) (drop []Day, left int64) {
	for len(days) > 1 && excess > 0 {
		drop, excess, days = append(drop, days[0]), excess-int64(days[0].Bytes), days[1:]
	}
	return drop, excess
}

func readDisk(ctx context.Context, db *sql.DB) (d disk, err error) {
	var free uint64
	err = db.QueryRowContext(ctx, `
		SELECT sum(free_space), sum(total_space)
		FROM system.disks
		WHERE name IN
		(
			SELECT arrayJoin(disks)
			FROM system.storage_policies
			WHERE policy_name = (SELECT storage_policy FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw')
		)`).Scan(&free, &d.total)
	if err != nil {
		return d, fmt.Errorf("read how full the disk of flows_raw is: %w", err)
	}
	if d.total == 0 {
		return d, fmt.Errorf("ClickHouse does not say how large the disk of flows_raw is: there is no such table here (netmeta migrate), or its disk is one without a size")
	}
	d.used = d.total - min(free, d.total)
	// What was merged or dropped stays on the disk for some minutes.
	if err := db.QueryRowContext(ctx, `SELECT sum(bytes_on_disk) FROM system.parts WHERE NOT active AND database = currentDatabase()`).Scan(&d.leaving); err != nil {
		return d, fmt.Errorf("read what ClickHouse is about to delete: %w", err)
	}
	d.leaving = min(d.leaving, d.used)
	return d, nil
}

// readDays returns the days of flows_raw, the oldest first.
func readDays(ctx context.Context, db *sql.DB) (days []Day, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT partition, sum(rows), sum(bytes_on_disk)
		FROM system.parts
		WHERE active AND database = currentDatabase() AND table = 'flows_raw'
		GROUP BY partition
		ORDER BY partition`)
	if err != nil {
		return nil, fmt.Errorf("read which days of flows are stored: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Day
		if err := rows.Scan(&d.Day, &d.Flows, &d.Bytes); err != nil {
			return nil, fmt.Errorf("read which days of flows are stored: %w", err)
		}
		days = append(days, d)
	}
	return days, rows.Err()
}

// dropDay removes a day of flows_raw, however large it is: a server refuses partitions of
// more than 50 GB unless it is told.
func dropDay(ctx context.Context, db *sql.DB, d Day) error {
	id := strings.ReplaceAll(d.Day, "-", "")
	if _, err := db.ExecContext(ctx, `ALTER TABLE flows_raw DROP PARTITION ID '`+id+`' SETTINGS max_partition_size_to_drop = 0`); err != nil {
		return fmt.Errorf("drop the flows of %s: %w", d.Day, err)
	}
	return nil
}
