package clickhouse_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/schema"
)

func TestMigratingAgainChangesNothing(t *testing.T) {
	db, _ := migrated(t)
	tables := "SELECT arrayStringConcat(groupArray(name || toString(metadata_modification_time)), ',') FROM (SELECT * FROM system.tables WHERE database = currentDatabase() ORDER BY name)"
	before := query[string](t, db, tables)
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if after := query[string](t, db, tables); after != before {
		t.Errorf("tables before %s\nand after %s", before, after)
	}
}

func TestDatabaseOfANewerNetMetaIsRefused(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "INSERT INTO schema_migrations (version, dirty, sequence) VALUES (9999, 0, toUnixTimestamp64Nano(now64(9)))")
	err := clickhouse.Migrate(t.Context(), db)
	if err == nil || !strings.Contains(err.Error(), "newer NetMeta") {
		t.Errorf("got %v, want a refusal that says why", err)
	}
}

func TestMigrationThatWasCutOffIsDoneAgain(t *testing.T) {
	for name, cut := range map[string]struct {
		version int
		missing string // dropped, as if the migration had not come to it
	}{
		"before it did anything":          {6, "flows"},
		"after its work":                  {5, ""},
		"the first one":                   {1, ""},
		"in the middle of all migrations": {3, "flows"},
	} {
		t.Run(name, func(t *testing.T) {
			db, broker := migrated(t)
			if cut.missing != "" {
				exec(t, db, "DROP TABLE "+cut.missing)
			}
			exec(t, db, fmt.Sprintf("INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 1, toUnixTimestamp64Nano(now64(9)))", cut.version))
			if err := clickhouse.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			publish(t, broker, delimited(t, good(1)))
			waitFor(t, db, 1, "SELECT count() FROM flows")
		})
	}
}

func TestTablesWhoseVersionWasLostAreRefusedWithWhatToDo(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "TRUNCATE TABLE schema_migrations")
	err := clickhouse.Migrate(t.Context(), db)
	if err == nil || !strings.Contains(err.Error(), "does not say which version") {
		t.Errorf("got %v, want a refusal that says why", err)
	}
}

func TestFailedMigrationSaysWhyInOneLine(t *testing.T) {
	broker := startBroker(t)
	db := open(t)
	configure(t, db, broker)
	exec(t, db, "CREATE VIEW flows_errors AS SELECT 1")
	err := clickhouse.Migrate(t.Context(), db)
	if err == nil || !strings.Contains(err.Error(), "not found in the target table") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that says why", err)
	}
}

func TestEveryMigrationCanBeTakenBack(t *testing.T) {
	db, _ := migrated(t)
	migrations, err := schema.Source(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var versions []uint
	for version, err := migrations.First(); !errors.Is(err, fs.ErrNotExist); version, err = migrations.Next(version) {
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, version)
	}
	for i := len(versions) - 1; i >= 0; i-- {
		down, name, err := migrations.ReadDown(versions[i])
		if err != nil {
			t.Fatalf("migration %d: %v", versions[i], err)
		}
		statement, err := io.ReadAll(down)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(string(statement)); err != nil {
			t.Fatalf("take back %s: %v", name, err)
		}
	}
	if left := query[string](t, db, "SELECT arrayStringConcat(groupArray(name), ' ') FROM system.tables WHERE database = currentDatabase()"); left != "schema_migrations" {
		t.Errorf("after everything was taken back these are left: %s", left)
	}
}

func TestTableThatIsMadeAnewKeepsItsRowsAndItsRetention(t *testing.T) {
	broker := startBroker(t)
	db := open(t)
	configure(t, db, broker)
	const before = 13 // the last version with flows_raw in its first order
	migrateTo(t, db, before)
	exec(t, db, "ALTER TABLE flows_raw MODIFY TTL TimeReceived + toIntervalSecond(8640000) SETTINGS materialize_ttl_after_modify = 0")
	exec(t, db, `INSERT INTO flows_raw (TimeReceived, SamplerAddress, SrcAddr, Bytes, SamplingRate, ASPath, ApplicationName, VNI)
		SELECT now() - number * 8, toIPv6('192.0.2.' || number % 9), toIPv6('2001:db8::' || number % 100), number, 1000, [number, 64500], 'app' || number % 5, number % 7
		FROM numbers(1000000)`) // of three months
	contents := "SELECT toString(groupBitXor(cityHash64(TimeReceived, SamplerAddress, SrcAddr, Bytes, SamplingRate, ASPath, ApplicationName, VNI))) FROM flows_raw"
	want := query[string](t, db, contents)
	for range 2 { // the second time it is as if the first had been cut off at its end
		if err := clickhouse.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		if got := query[string](t, db, contents); got != want {
			t.Errorf("the rows are not what they were: %s, want %s", got, want)
		}
		if n := query[uint64](t, db, "SELECT count() FROM flows_raw"); n != 1_000_000 {
			t.Errorf("%d rows of 1000000", n)
		}
		definition := query[string](t, db, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'")
		for _, part := range []string{"ORDER BY (negate(toUnixTimestamp", "toIntervalSecond(8640000)", "ttl_only_drop_parts = 1"} {
			if !strings.Contains(definition, part) {
				t.Errorf("%q is not in %s", part, definition)
			}
		}
		exec(t, db, fmt.Sprintf("INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 1, toUnixTimestamp64Nano(now64(9)))", before+1))
	}
}

func TestOverviewIsAnsweredByTheProjection(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "INSERT INTO flows_raw (TimeReceived, SamplerAddress, Bytes, SamplingRate) SELECT now() - number % 100, toIPv6('192.0.2.1'), number, 1000 FROM numbers(100000)")
	for name, statement := range map[string]string{
		"of the table": "SELECT toStartOfMinute(TimeReceived) AS m, FlowDirection, sum(Bytes * SamplingRate) FROM flows_raw WHERE TimeReceived > now() - 3600 GROUP BY m, FlowDirection",
		"of the view":  "SELECT toStartOfMinute(Time) AS m, Direction, sum(Bits), sum(Packets), sum(Bytes) FROM flows WHERE Time > now() - 3600 GROUP BY m, Direction",
	} {
		t.Run(name, func(t *testing.T) {
			plan := query[string](t, db, "SELECT arrayStringConcat(groupArray(explain), '\n') FROM (EXPLAIN "+statement+")")
			if !strings.Contains(plan, "per_second") {
				t.Error(plan)
			}
		})
	}
}

func TestNewBrokerAddressIsTakenOverByARunningTable(t *testing.T) {
	db, first := migrated(t)
	publish(t, first, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	first.Close()

	second := startBroker(t)
	configure(t, db, second)
	publish(t, second, delimited(t, good(2)))
	waitFor(t, db, 2, "SELECT count() FROM flows_raw")
}

func TestAddressIsCheckedAndItsPasswordNeverShown(t *testing.T) {
	for name, test := range map[string]struct{ address, want string }{
		"native protocol": {"clickhouse://default:secret@127.0.0.1:9000", "http or https"},
		"not an address":  {"http://default:secret@[::1", "not of the form"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := clickhouse.Open(test.address)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want an error about %q", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestUnchangedKafkaSettingsLeaveTheConsumersAlone(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, good(1)))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	consumer := "SELECT consumer_id FROM system.kafka_consumers WHERE database = currentDatabase() AND table = 'flows_queue'"
	before := query[string](t, db, consumer)
	configure(t, db, broker)
	if after := query[string](t, db, consumer); after != before {
		t.Errorf("consumer %s was replaced by %s", before, after)
	}
}
