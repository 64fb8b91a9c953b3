package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// readClickHouse reads what the database says. The error is that of an address that is
// none.
func readClickHouse(ctx context.Context, address string) (*ClickHouse, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	db, err := clickhouse.Open(address)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c := &ClickHouse{Address: withoutPassword(address)}
	var now time.Time
	before := time.Now()
	err = db.QueryRowContext(ctx, `SELECT version(), now64(3, 'UTC')`).Scan(&c.Version, &now)
	if err != nil {
		var network *net.OpError
		c.Refused = !errors.As(err, &network) && ctx.Err() == nil
		c.Err = shorten(err)
		return c, nil
	}
	c.ClockSkew = now.Sub(before)
	c.attempt("schema", func() (err error) { c.Schema, err = clickhouse.ReadSchemaState(ctx, db); return err })
	c.attempt("disks", func() error { return c.readDisks(ctx, db) })
	if c.Schema.Version == 0 || c.Schema.Version != c.Schema.Newest || c.Schema.Dirty {
		return c, nil // the rest is about tables of this version
	}
	c.attempt("consumers", func() error { return c.readConsumers(ctx, db) })
	c.attempt("parts", func() error { return c.readParts(ctx, db) })
	c.attempt("messages that could not be parsed", func() error { return c.readPoison(ctx, db) })
	c.attempt("newest flow", func() error {
		var newest *time.Time
		err := db.QueryRowContext(ctx, `SELECT if(count() = 0, NULL, max(TimeReceived)) FROM flows_raw`).Scan(&newest)
		if newest != nil {
			c.Newest = *newest
		}
		return err
	})
	return c, nil
}

// attempt notes what could not be asked.
func (c *ClickHouse) attempt(what string, ask func() error) {
	if err := ask(); err != nil {
		text, _, _ := strings.Cut(shorten(err).Error(), ", Stack trace")
		c.Failed = append(c.Failed, fmt.Errorf("%s: %s", what, text))
	}
}

// readConsumers reads how the tables that read from Kafka do. A failure is of the last
// minute, within which ClickHouse tries again many times, and nothing has been stored
// since.
func (c *ClickHouse) readConsumers(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `
		SELECT
			table,
			toUInt64(sum(length(assignments.topic))),
			anyIf(
				arrayElement(exceptions.text, -1),
				arrayElement(exceptions.time, -1) > greatest(last_commit_time, now() - INTERVAL 1 MINUTE))
		FROM system.kafka_consumers
		WHERE database = currentDatabase()
		GROUP BY table
		ORDER BY table = 'flows_queue' DESC, table`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var consumer Consumer
		var assigned uint64
		if err := rows.Scan(&consumer.Table, &assigned, &consumer.Failure); err != nil {
			return err
		}
		consumer.Assigned = int(assigned)
		consumer.Failure, _, _ = strings.Cut(consumer.Failure, ", Stack trace")
		c.Consumers = append(c.Consumers, consumer)
	}
	return rows.Err()
}

func (c *ClickHouse) readPoison(ctx context.Context, db *sql.DB) error {
	return db.QueryRowContext(ctx, `
		SELECT
			countIf(TimeReceived > now() - INTERVAL 10 MINUTE),
			count(),
			toString(argMax(Topic, TimeReceived)),
			substring(argMax(Reason, TimeReceived), 1, 200)
		FROM flows_errors`).Scan(&c.Poison.Recent, &c.Poison.Kept, &c.Poison.Topic, &c.Poison.Reason)
}

func (c *ClickHouse) readDisks(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT path, unreserved_space, total_space, keep_free_space FROM system.disks WHERE total_space < 1e18`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d Space
		if err := rows.Scan(&d.Path, &d.Free, &d.Total, &d.Keep); err != nil {
			return err
		}
		c.Disks = append(c.Disks, d)
	}
	return rows.Err()
}

func (c *ClickHouse) readParts(ctx context.Context, db *sql.DB) error {
	err := db.QueryRowContext(ctx, `
		SELECT
			table,
			partition,
			count() AS parts,
			(SELECT toUInt64(anyLast(value)) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert'),
			(SELECT toUInt64(anyLast(value)) FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert')
		FROM system.parts
		WHERE database = currentDatabase() AND active
		GROUP BY table, partition
		ORDER BY parts DESC
		LIMIT 1`).Scan(&c.Parts.Table, &c.Parts.Partition, &c.Parts.Count, &c.Parts.Delay, &c.Parts.Throw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// storedOver is how far back the counters count that collectors have stored.
const storedOver = 10 * time.Minute

// storedCollectors reads the collectors of the last ten minutes from what they write of
// themselves, for where their metrics cannot be reached.
func storedCollectors(ctx context.Context, address string) ([]Collector, error) {
	db, err := clickhouse.Open(address)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `
		SELECT
			toString(Instance) AS instance,
			toString(Metric) AS metric,
			CAST(Labels, 'Map(String, String)') AS labels,
			argMax(Value, Time),
			sumIf(Increase, Time > now() - INTERVAL 10 MINUTE)
		FROM pipeline_counters
		WHERE Time > now() - INTERVAL 1 DAY
			AND Instance IN (SELECT Instance FROM pipeline_counters WHERE Time > now() - INTERVAL 10 MINUTE)
		GROUP BY instance, metric, labels
		ORDER BY instance`)
	if err != nil {
		return nil, nil // the stage ClickHouse says what is wrong with the schema
	}
	defer rows.Close()
	var all []Collector
	for rows.Next() {
		var name, metric string
		var r Reading
		if err := rows.Scan(&name, &metric, &r.Labels, &r.Value, &r.Growth); err != nil {
			return nil, fmt.Errorf("read what collectors say of themselves: %w", err)
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, Collector{Name: name, Over: storedOver, Readings: Readings{}})
		}
		all[len(all)-1].Readings[metric] = append(all[len(all)-1].Readings[metric], r)
	}
	return all, rows.Err()
}
