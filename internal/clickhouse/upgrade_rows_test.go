package clickhouse_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/schema"
)

// firstStored is the number of the first flow that was stored before the migration. Those
// of the stream have smaller numbers.
const firstStored = 1 << 40

// milestones are the versions before the gate, before the rollups, and before rollups were
// merged less often.
var milestones = []uint{versionWithoutGate, 47, 58}

// From every version it takes hours: NETMETA_MIGRATE_ROWS asks for that, and says how many
// rows each database has.
func TestMigratingFromEachVersionWhileFlowsArriveLosesNothing(t *testing.T) {
	versions, rows := milestones, uint64(10_000)
	if asked := os.Getenv("NETMETA_MIGRATE_ROWS"); asked != "" {
		var err error
		if rows, err = strconv.ParseUint(asked, 10, 40); err != nil || rows == 0 {
			t.Fatalf("NETMETA_MIGRATE_ROWS=%s: must be a number of rows above 0", asked)
		}
		versions = earlierVersions(t)
	}
	for _, version := range versions {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) { migrateFrom(t, version, rows) })
	}
}

// earlierVersions are those from which flows can be stored, without the newest.
func earlierVersions(t *testing.T) (versions []uint) {
	t.Helper()
	migrations, err := schema.Source(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for version := uint(versionWithoutGate); ; {
		next, err := migrations.Next(version)
		if errors.Is(err, fs.ErrNotExist) {
			return versions
		}
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, version)
		version = next
	}
}

// migrateFrom migrates a database of a version that has so many rows, and a queue with a
// producer.
func migrateFrom(t *testing.T, version uint, rows uint64) {
	b, err := broker.Start(t.Context(), broker.Options{Address: "127.0.0.1:0", DataDir: t.TempDir(),
		Topics: []broker.Topic{{Name: flow.Topic, Partitions: 2}, {Name: flow.CountersTopic, Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	db := open(t)
	kafka := clickhouse.Kafka{Brokers: []string{b.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
	if err := clickhouse.ConfigureKafka(t.Context(), db, kafka); err != nil {
		t.Fatal(err)
	}
	migrateTo(t, db, version)
	insert := fmt.Sprintf(`
		INSERT INTO flows_raw (TimeReceived, SamplingRate, Packets, Bytes, SrcAS)
		SELECT now() - number %% 7200, 1, 1, %d + number, number %% 1000
		FROM numbers(%d)`, uint64(firstStored), rows)
	if _, err := db.ExecContext(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	sent := startStream(t, db, b.Address())
	if version == versionWithoutGate || query[bool](t, db, "SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'flows_gate'") {
		waitStored(t, db, rows)
	}

	began := time.Now()
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	waitStored(t, db, query[uint64](t, db, "SELECT count() FROM flows_raw"))
	sent.done()
	flows := sent.flows.Load()
	waitFor(t, db, flows, fmt.Sprintf("SELECT uniqExact(Bytes) FROM flows_raw WHERE Bytes < %d", uint64(firstStored)))
	waitFor(t, db, sent.poison.Load(), "SELECT uniqExact(Partition, Offset) FROM flows_errors")
	if kept := query[uint64](t, db, fmt.Sprintf("SELECT uniqExact(Bytes) FROM flows_raw WHERE Bytes >= %d", uint64(firstStored))); kept != rows {
		t.Errorf("%d of %d rows are left", kept, rows)
	}
	if stored := query[uint64](t, db, "SELECT count() FROM flows_raw"); stored != rows+flows {
		t.Errorf("%d rows are stored of %d and %d flows: some twice", stored, rows, flows)
	}
	if err := clickhouse.RepairRollups(t.Context(), db, time.Time{}, func(clickhouse.RollupHour) {}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"flows_1m", "flows_1h"} {
		if sum := query[uint64](t, db, "SELECT sum(Flows) FROM "+table); sum != rows+flows {
			t.Errorf("%s has %d flows of %d", table, sum, rows+flows)
		}
	}
	t.Logf("%d rows and %d flows that arrived; migrated in %.1f s", rows, flows, took.Seconds())
}
