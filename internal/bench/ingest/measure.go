//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/bench/script"
	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

const (
	partitions = 4 // as netmeta-standalone has
	nothing    = "nothing"
	patience   = 2 * time.Minute // without a new row, before the measurement is given up
	mergeLimit = 10 * time.Minute
)

func (o options) measure(ctx context.Context, progress io.Writer) (r report, err error) {
	library, err := chdb.Find("")
	if err != nil {
		return r, err
	}
	b, err := broker.Start(ctx, broker.Options{Address: "127.0.0.1:0", DataDir: filepath.Join(o.dir, "kafka"), Topics: []broker.Topic{
		{Name: flow.Topic, Partitions: partitions}, {Name: nothing, Partitions: 1}, {Name: flow.CountersTopic, Partitions: 1},
	}})
	if err != nil {
		return r, err
	}
	defer b.Close()
	if err := o.fill(ctx, b.Address()); err != nil {
		return r, fmt.Errorf("fill the queue: %w", err)
	}
	fmt.Fprintf(progress, "%s flows are in the queue\n", script.Comma(o.rows))
	engine, err := chdb.Open(library, filepath.Join(o.dir, "clickhouse"), chdb.Options{})
	if err != nil {
		return r, err
	}
	defer engine.Close()
	db := chhttp.OpenInternal(engine)
	defer db.Close()
	return o.drain(ctx, db, b.Address())
}

// fill writes the flows to the broker as a collector does.
func (o options) fill(ctx context.Context, address string) error {
	producer, err := queue.Open(queue.Config{Brokers: []string{address}, Topic: flow.Topic})
	if err != nil {
		return err
	}
	w, n := producer.NewWriter(), 0
	end := time.Now()
	history := generate.HistoryOptions{From: end.Add(-o.span), To: end, Flows: o.rows, Seed: trafficSeed}
	err = generate.History(ctx, history, func(r *flow.Record) error {
		if o.prefixes > 0 {
			r.SrcAS, r.DstAS = 0, 0
		}
		w.Append(r)
		if n++; n%100_000 == 0 { // below what waits in memory at most
			return producer.Flush(ctx)
		}
		return nil
	})
	return errors.Join(err, producer.Close(ctx))
}

// drain has the engine read the queue. The tables are made before, with a queue that has
// nothing.
func (o options) drain(ctx context.Context, db *sql.DB, address string) (r report, err error) {
	kafka := clickhouse.Kafka{Brokers: []string{address}, Topic: nothing, CountersTopic: flow.CountersTopic, Group: nothing}
	if err := clickhouse.ConfigureKafka(ctx, db, kafka); err != nil {
		return r, err
	}
	if err := clickhouse.Migrate(ctx, db); err != nil {
		return r, err
	}
	if err := o.loadTable(ctx, db, &r); err != nil {
		return r, fmt.Errorf("load the routing table: %w", err)
	}
	kafka.Topic, kafka.Group = flow.Topic, clickhouse.DefaultGroup
	began := processorTime()
	if err := clickhouse.ConfigureKafka(ctx, db, kafka); err != nil {
		return r, err
	}
	if r.RowsPerSecond, err = o.waitStored(ctx, db); err != nil {
		return r, err
	}
	stored := processorTime()
	if err := waitMerged(ctx, db); err != nil {
		return r, err
	}
	r.Rows = o.rows
	r.Storing = float64((stored - began).Microseconds()) / float64(o.rows)
	r.Merging = float64((processorTime() - stored).Microseconds()) / float64(o.rows)
	const size = "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows_raw'"
	if err := db.QueryRowContext(ctx, size).Scan(&r.BytesPerRow); err != nil {
		return r, fmt.Errorf("%s: %w", size, err)
	}
	const resolved = "SELECT avg((SrcASResolved + DstASResolved) / 2) FROM flows_raw"
	if err := db.QueryRowContext(ctx, resolved).Scan(&r.Resolved); err != nil {
		return r, fmt.Errorf("%s: %w", resolved, err)
	}
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage) // fails for bad arguments only
	r.PeakMiB = int(usage.Maxrss >> 10)
	return r, nil
}

// waitStored returns at which rate rows came after the first ones, in rows a second.
func (o options) waitStored(ctx context.Context, db *sql.DB) (rate float64, err error) {
	var first, last time.Time
	var begun, stored uint64
	for changed := time.Now(); stored < uint64(o.rows); time.Sleep(50 * time.Millisecond) {
		if time.Since(changed) > patience {
			return 0, fmt.Errorf("ClickHouse has stored %d of %d flows, and no more for %s", stored, o.rows, patience)
		}
		n, err := count(ctx, db, "SELECT count() FROM flows_raw")
		if err != nil {
			return 0, err
		}
		if n == stored {
			continue
		}
		changed = time.Now()
		if stored == 0 {
			first, begun = changed, n
		}
		stored, last = n, changed
	}
	if stored == begun {
		return 0, errors.New("all flows came in one block: ask for more with --rows")
	}
	return float64(stored-begun) / last.Sub(first).Seconds(), nil
}

func waitMerged(ctx context.Context, db *sql.DB) error {
	for end := time.Now().Add(mergeLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n, err := count(ctx, db, "SELECT count() FROM system.merges")
		if err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("ClickHouse still merges after %s", mergeLimit)
}

// count asks for a number.
func count(ctx context.Context, db *sql.DB, query string) (n uint64, err error) {
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}

func processorTime() time.Duration {
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage) // fails for bad arguments only
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
