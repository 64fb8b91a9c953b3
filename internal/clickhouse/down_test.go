package clickhouse_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
)

// state is everything that a database has.
const state = "SELECT arrayStringConcat(arraySort(groupArray(name || toString(uuid) || toString(metadata_modification_time) || toString(ifNull(total_rows, 0)))), ',') FROM system.tables WHERE database = currentDatabase()"

func plan(t *testing.T, db *sql.DB, target int) []clickhouse.Step {
	t.Helper()
	steps, err := clickhouse.Plan(t.Context(), db, target)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func losses(t *testing.T, db *sql.DB, target int) (texts []string) {
	t.Helper()
	lost, err := clickhouse.Losses(t.Context(), db, plan(t, db, target))
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range lost {
		texts = append(texts, loss.String())
	}
	return texts
}

func TestPlanIsWhatMigratingDoesAndChangesNothing(t *testing.T) {
	broker := startBroker(t) // still there when the tables are dropped
	db := open(t)
	before := query[string](t, db, state)
	steps := plan(t, db, clickhouse.Newest)
	if after := query[string](t, db, state); after != before || after != "" {
		t.Errorf("a plan for an empty database has made %s", after)
	}
	if queue := steps[148]; steps[0].Version != 1 || strings.Contains(queue.SQL, "${") || !strings.Contains(queue.SQL, "message FlowMessage") {
		t.Errorf("the migrations are %+v", steps)
	}
	configure(t, db, broker)
	for _, step := range steps {
		exec(t, db, step.SQL)
	}
	if err := clickhouse.Migrate(t.Context(), db); err == nil || !strings.Contains(err.Error(), "does not say which version") {
		t.Errorf("after the plan was done by hand: got %v, want that the version is missing", err)
	}
	exec(t, db, fmt.Sprintf("INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 0, toUnixTimestamp64Nano(now64(9)))", steps[len(steps)-1].Version))
	if left := plan(t, db, clickhouse.Newest); len(left) != 0 {
		t.Errorf("%d steps are planned for a database that is up to date", len(left))
	}
}

func TestGoingDownTellsWhatWouldBeLost(t *testing.T) {
	db, _ := migrated(t)
	if lost := losses(t, db, 1); lost != nil {
		t.Errorf("nothing is stored, and these would be lost: %q", lost)
	}
	exec(t, db, "INSERT INTO flows_raw (TimeReceived, Bytes, VNI) VALUES (now(), 1, 7), (now(), 2, 0)")
	exec(t, db, "INSERT INTO interface_counters (TimeReceived) VALUES (now()), (now()), (now())")
	if got, want := fmt.Sprint(losses(t, db, 6)), "[table interface_counters with 3 rows (migration 16) column VNI of table flows_raw, in which 1 row has a value (migration 7)]"; got != want {
		t.Errorf("down to version 6: got %s, want %s", got, want)
	}
	if lost := losses(t, db, 16); lost != nil {
		t.Errorf("down to version 16: got %q, want nothing: the flows are there", lost)
	}
	exec(t, db, "INSERT INTO flows_1h (TimeReceived, Flows) VALUES (now() - 86400 * 100, 1)")
	if got, want := fmt.Sprint(losses(t, db, 16)), "[table flows_1h with 1 row (migration 53)]"; got != want {
		t.Errorf("down to version 16, with older hours: got %s, want %s", got, want)
	}
}

// A new way to take a migration back has to be thought about.
func TestLossOfEveryMigrationIsKnown(t *testing.T) {
	db, _ := migrated(t)
	for _, loss := range losses(t, db, 1) {
		t.Error(loss)
	}
	lost, err := clickhouse.Losses(t.Context(), db, []clickhouse.Step{{Version: 99, Name: "other", Down: true, SQL: "TRUNCATE TABLE flows_raw"}})
	if err != nil || len(lost) != 1 || !strings.Contains(lost[0].String(), "migration 99 (other): it cannot be told") {
		t.Errorf("a statement of another kind: got %v, %v", lost, err)
	}
}

// The broker is standalone's: groups of a bare kfake cluster were seen to leave the
// only partition with a consumer that is gone.
func TestGoingDownAndUpWhileFlowsArriveStoresEachOnce(t *testing.T) {
	for name, cutOff := range map[string]uint{"undisturbed": 0, "cut off on the way down": 13, "cut off at version 24": 24} {
		t.Run(name, func(t *testing.T) {
			b, err := broker.Start(t.Context(), broker.Options{Address: "127.0.0.1:0", DataDir: t.TempDir(),
				Topics: []broker.Topic{{Name: flow.Topic, Partitions: 1}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			db := open(t) // dropped while the broker is still there
			settings := clickhouse.Kafka{Brokers: []string{b.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
			if err := clickhouse.ConfigureKafka(t.Context(), db, settings); err != nil {
				t.Fatal(err)
			}
			if err := clickhouse.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			newest := query[int64](t, db, "SELECT max(version) FROM schema_migrations")
			sent := startStream(t, db, b.Address())
			waitStored(t, db, 0)
			if cutOff > 0 {
				if err := clickhouse.MigrateTo(t.Context(), db, cutOff); err != nil {
					t.Fatal(err)
				}
				exec(t, db, fmt.Sprintf("INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 1, toUnixTimestamp64Nano(now64(9)))", cutOff))
			}
			for _, version := range []uint{6, uint(newest)} {
				if err := clickhouse.MigrateTo(t.Context(), db, version); err != nil {
					t.Fatalf("to version %d: %v", version, err)
				}
				if steps := plan(t, db, int(version)); len(steps) != 0 {
					t.Fatalf("version %d was not reached: %d steps are left", version, len(steps))
				}
				waitStored(t, db, query[uint64](t, db, "SELECT count() FROM flows_raw"))
			}
			sent.done()
			flows := sent.flows.Load()
			waitFor(t, db, flows, "SELECT uniqExact(Bytes) FROM flows_raw")
			if rows := query[uint64](t, db, "SELECT count() FROM flows_raw"); rows != flows {
				t.Errorf("%d rows of %d flows are stored: some twice", rows, flows)
			}
		})
	}
}
