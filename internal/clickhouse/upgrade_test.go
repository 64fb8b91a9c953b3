package clickhouse_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-migrate/migrate/v4"
	driver "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/schema"
)

// versionWithoutGate is the last one before the gate: flows_queue had two views, which could not be changed while it ran.
const versionWithoutGate = 6

// migrator runs single migrations of a database.
func migrator(t *testing.T, db *sql.DB) *migrate.Migrate {
	t.Helper()
	migrations, err := schema.Source(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := driver.WithInstance(db, &driver.Config{DatabaseName: query[string](t, db, "SELECT currentDatabase()"), MigrationsTableEngine: "MergeTree"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("schema", migrations, "", target)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// migrateTo does migrations up or down to a version.
func migrateTo(t *testing.T, db *sql.DB, version uint) {
	t.Helper()
	if err := migrator(t, db).Migrate(version); err != nil {
		t.Fatalf("migrate to version %d: %v", version, err)
	}
}

// stream writes numbered flows to a broker without a pause, and poison between them. The
// broker does not wait for consumers that are gone.
type stream struct {
	flows, poison atomic.Uint64 // acknowledged
	done          func()
}

func startStream(t *testing.T, db *sql.DB, address string) *stream {
	ctx, cancel := context.WithCancel(t.Context())
	writer := &kafka.Writer{Addr: kafka.TCP(address), Topic: flow.Topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	s := &stream{}
	t.Cleanup(newMembers(t, address).buryDead(t, db))
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			n := s.flows.Load()
			batch := []kafka.Message{{Value: delimited(t, good(n+1), good(n+2))}, {Value: []byte("poison")}, {Value: delimited(t, good(n+3))}}
			// Not with ctx: it is not known of a write that is cut off whether it was done.
			if err := writer.WriteMessages(context.Background(), batch...); err != nil {
				t.Error(err)
				return
			}
			s.flows.Add(3)
			s.poison.Add(1)
		}
	})
	s.done = sync.OnceFunc(func() {
		cancel()
		wait.Wait()
		writer.Close()
	})
	t.Cleanup(s.done)
	return s
}

// waitStored waits until more than n flows are stored.
func waitStored(t *testing.T, db *sql.DB, n uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); query[uint64](t, db, "SELECT count() FROM flows_raw") <= n; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not more than %d flows are stored", n)
		}
	}
}

func TestMigratingWhileFlowsArriveStoresEachOnce(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *sql.DB){
		"by two instances at once": func(t *testing.T, db *sql.DB) {
			var wait sync.WaitGroup
			for range 2 {
				wait.Go(func() {
					if err := clickhouse.Migrate(t.Context(), db); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		},
		"each migration twice and back again": func(t *testing.T, db *sql.DB) {
			m := migrator(t, db)
			for version := versionWithoutGate + 1; ; version++ {
				if err := m.Steps(1); errors.Is(err, fs.ErrNotExist) {
					break
				} else if err != nil {
					t.Fatalf("migration %d: %v", version, err)
				}
				if err := m.Force(version - 1); err != nil {
					t.Fatal(err)
				}
				if err := m.Steps(1); err != nil {
					t.Fatalf("migration %d again: %v", version, err)
				}
			}
			waitStored(t, db, query[uint64](t, db, "SELECT count() FROM flows_raw"))
			migrateTo(t, db, versionWithoutGate)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := broker.Start(t.Context(), broker.Options{Address: "127.0.0.1:0", DataDir: t.TempDir(),
				Topics: []broker.Topic{{Name: flow.Topic, Partitions: 2}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			db := open(t) // dropped while the broker is still there
			settings := clickhouse.Kafka{Brokers: []string{b.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
			if err := clickhouse.ConfigureKafka(t.Context(), db, settings); err != nil {
				t.Fatal(err)
			}
			migrateTo(t, db, versionWithoutGate)
			sent := startStream(t, db, b.Address())
			waitStored(t, db, 0)

			change(t, db)
			waitStored(t, db, query[uint64](t, db, "SELECT count() FROM flows_raw"))
			sent.done()
			flows := sent.flows.Load()
			waitFor(t, db, flows, "SELECT uniqExact(Bytes) FROM flows_raw")
			waitFor(t, db, sent.poison.Load(), "SELECT uniqExact(Partition, Offset) FROM flows_errors")
			if rows, errors := query[uint64](t, db, "SELECT count() FROM flows_raw"), query[uint64](t, db, "SELECT count() FROM flows_errors"); rows != flows || errors != sent.poison.Load() {
				t.Errorf("%d flows of %d and %d errors of %d are stored: some twice", rows, flows, errors, sent.poison.Load())
			}
		})
	}
}
