package clickhouse_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

func checkRollups(t *testing.T, db *sql.DB) (differing string) {
	t.Helper()
	hours, err := clickhouse.CheckRollups(t.Context(), db, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return hoursToString(hours)
}

func repairRollups(t *testing.T, db *sql.DB) (found string) {
	t.Helper()
	var hours []clickhouse.RollupHour
	if err := clickhouse.RepairRollups(t.Context(), db, time.Time{}, func(h clickhouse.RollupHour) { hours = append(hours, h) }); err != nil {
		t.Fatal(err)
	}
	return hoursToString(hours)
}

// hoursToString shows what is stored of each hour: flows_raw, flows_1m, flows_1h.
func hoursToString(hours []clickhouse.RollupHour) string {
	var texts []string
	for _, h := range hours {
		text := fmt.Sprint(h.Raw, " ", h.Minutes, " ", h.Hours)
		if h.Repaired {
			text += " repaired"
		}
		if h.Fewer {
			text += " fewer"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func TestRollupsAreRepairedFromFlows(t *testing.T) {
	// What a block of which ClickHouse stored a part only leaves behind, and what a
	// database without rollups has.
	for name, test := range map[string]struct {
		damage []string
		want   string // what is found of the hours
	}{
		"both missing": {
			[]string{"TRUNCATE TABLE flows_1m", "TRUNCATE TABLE flows_1h"},
			"1000 0 0 repaired, 1000 0 0 repaired",
		},
		"hours missing": {
			[]string{"TRUNCATE TABLE flows_1h"},
			"1000 1000 0 repaired, 1000 1000 0 repaired",
		},
		"a block that came again is once in flows_raw": {
			[]string{"INSERT INTO flows_1m SELECT * FROM flows_1m WHERE TimeReceived >= toDateTime('2030-05-01 15:00:00')"},
			"1000 2000 2000 repaired",
		},
		"a block is twice in flows_raw": {
			[]string{
				"ALTER TABLE flows_raw DETACH PARTITION '2030-05-01'", "ALTER TABLE flows_raw ATTACH PARTITION '2030-05-01'",
				"CREATE TABLE again AS flows_raw", "INSERT INTO again SELECT * FROM flows_raw", "ALTER TABLE flows_raw ATTACH PARTITION '2030-05-01' FROM again",
			},
			"2000 1000 1000 repaired, 2000 1000 1000 repaired",
		},
		"a wrong sum": {
			[]string{"INSERT INTO flows_1h (TimeReceived, SamplerAddress, SrcAS, DstAS, Proto, EType, Bytes) SELECT TimeReceived, SamplerAddress, SrcAS, DstAS, Proto, EType, 7 FROM flows_1h WHERE InIf = 0 AND OutIf = 0 AND FlowDirection = 0 AND ServicePort = 0 LIMIT 1"},
			"1000 1000 1000 repaired",
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := migrated(t)
			exec(t, db, `
				INSERT INTO flows_raw (TimeReceived, SamplerAddress, Proto, EType, SrcAS, DstAS, Bytes, Packets, SamplingRate)
				SELECT toDateTime('2030-05-01 14:00:00', 'UTC') + number % 2 * 3600 + number % 100 * 30, toIPv6('192.0.2.' || number % 3), 6, 2048, 64500 + number % 11, 64600, number, 1, 1000
				FROM numbers(2000)`)
			compareRollups(t, db)
			for _, statement := range test.damage {
				exec(t, db, statement)
			}
			if got := checkRollups(t, db); got != strings.ReplaceAll(test.want, " repaired", "") {
				t.Errorf("the check finds %q, want %q", got, test.want)
			}
			if got := repairRollups(t, db); got != test.want {
				t.Errorf("the repair finds %q, want %q", got, test.want)
			}
			compareRollups(t, db)
			for _, table := range []string{"flows_1m", "flows_1h"} {
				if n := query[uint64](t, db, "SELECT countIf(toInt64(Flows) < 0 OR toInt64(Bytes) < 0) FROM "+table); n != 0 {
					t.Errorf("%s shows %d rows that wrapped around", table, n)
				}
			}
			if got := repairRollups(t, db); got != "" {
				t.Errorf("a second repair finds %q", got)
			}
		})
	}
}

func TestRepairLeavesWhatFlowsRawHasLost(t *testing.T) {
	db, broker := migrated(t)
	insertFlows(t, db, 100_000, 3)
	want := query[uint64](t, db, "SELECT sum(Bytes) FROM flows_1h")
	exec(t, db, "ALTER TABLE flows_raw DELETE WHERE SrcAS < 64505 SETTINGS mutations_sync = 2")
	if got := repairRollups(t, db); !strings.Contains(got, "fewer") || strings.Contains(got, "repaired") {
		t.Errorf("flows are missing, and this is found: %s", got)
	}
	exec(t, db, "TRUNCATE TABLE flows_raw")
	if got := repairRollups(t, db); got != "" {
		t.Errorf("no flows are there, and this is found: %s", got)
	}
	if got := query[uint64](t, db, "SELECT sum(Bytes) FROM flows_1h"); got != want {
		t.Errorf("the hours have %d bytes, had %d", got, want)
	}
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw") // the gate is open again
}

// What is about to be dropped by age is not made up for.
func TestRepairLeavesHoursThatAreTooOld(t *testing.T) {
	db, _ := migrated(t)
	insertFlows(t, db, 10_000, 3)
	exec(t, db, "TRUNCATE TABLE flows_1m")
	exec(t, db, "ALTER TABLE flows_1m MODIFY TTL TimeReceived + toIntervalSecond(1)")
	if got := checkRollups(t, db); got != "" {
		t.Errorf("minutes that are not kept are missed: %s", got)
	}
}

func TestRollupsAreRepairedWhileFlowsArrive(t *testing.T) {
	address := embedded(t) // still there when the tables are dropped
	db := open(t)
	if err := clickhouse.ConfigureKafka(t.Context(), db, settings(address)); err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	sent := startStream(t, db, address)
	for range 5 {
		waitStored(t, db, query[uint64](t, db, "SELECT count() FROM flows_raw"))
		// A block is in flows_raw before it is in flows_1m.
		waitFor(t, db, 1, "SELECT toUInt64(count() > 0) FROM flows_1m")
		exec(t, db, "INSERT INTO flows_1m SELECT * FROM flows_1m LIMIT 1")
		var other sync.WaitGroup
		var repaired atomic.Int32
		note := func(h clickhouse.RollupHour) {
			if h.Repaired {
				repaired.Add(1)
			}
		}
		for range 2 { // at once, as standalone and a person may
			other.Go(func() {
				if err := clickhouse.RepairRollups(t.Context(), db, time.Time{}, note); err != nil {
					t.Error(err)
				}
			})
		}
		other.Wait()
		if repaired.Load() == 0 {
			t.Error("a row too many was not found")
		}
	}
	sent.done()
	flows := sent.flows.Load()
	waitFor(t, db, flows, "SELECT sum(Flows) FROM flows_1h")
	compareRollups(t, db)
	if got := checkRollups(t, db); got != "" {
		t.Errorf("rollups that are right are reported: %s", got)
	}
}

// Going down drops the rollups, and making flows_raw anew takes the table away from
// under their views.
func TestRollupsAreFilledAfterEveryMigrationWasDoneAgain(t *testing.T) {
	for name, from := range map[string]func(*testing.T, *sql.DB){
		"down and up": func(t *testing.T, db *sql.DB) { migrateTo(t, db, versionWithoutGate) },
		"cut off": func(t *testing.T, db *sql.DB) {
			exec(t, db, "INSERT INTO schema_migrations (version, dirty, sequence) VALUES (3, 1, toUnixTimestamp64Nano(now64(9)))")
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := migrated(t)
			insertFlows(t, db, 1000, 1)
			from(t, db)
			if err := clickhouse.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			insertFlows(t, db, 1000, 1)
			repairRollups(t, db)
			compareRollups(t, db)
			// Not by the repair, but with the flows.
			insertFlows(t, db, 1000, 1)
			compareRollups(t, db)
		})
	}
}

// What of a block is stored when ClickHouse dies is a matter of chance: the flows, and
// not their sums. The block comes again.
func TestRollupsAreRepairedAfterClickHouseWasKilled(t *testing.T) {
	address := embedded(t)
	s := startServer(t, address)
	stop := startNumbered(t, address)
	for range 3 {
		s.waitNewPart(t)
		s.waitNewPart(t)
		s.restart(t)
	}
	waitFor(t, s.db, stop(), "SELECT uniqExact(SequenceNum) FROM flows_raw")
	t.Logf("repaired (flows_raw, flows_1m, flows_1h): %s", repairRollups(t, s.db))
	compareRollups(t, s.db)
	if got := checkRollups(t, s.db); got != "" {
		t.Errorf("after the repair there is still %s", got)
	}
}

// ClickHouse refuses to attach a table that a query still has.
func TestGateIsOpenedAfterQueriesThatHaveItAsItWas(t *testing.T) {
	db, _ := migrated(t)
	ended := make(chan error, 1)
	go func() {
		_, err := db.Exec("SELECT count(), sleepEachRow(3) FROM (SELECT 1 AS one) AS a LEFT JOIN flows_gate AS b ON a.one = b.Type GROUP BY ALL FORMAT Null")
		ended <- err
	}()
	const running = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(3)%' AND current_database = currentDatabase() AND query NOT LIKE '%system.processes%'"
	for query[uint64](t, db, running) == 0 {
		select {
		case err := <-ended:
			t.Fatalf("the query has ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	exec(t, db, "DETACH TABLE flows_gate")
	if _, err := db.Exec("ATTACH TABLE flows_gate"); err == nil {
		t.Fatal("the query does not have the gate")
	}
	repairRollups(t, db)
	if query[uint64](t, db, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'flows_gate'") == 0 {
		t.Error("the gate is closed")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
