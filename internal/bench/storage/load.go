//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/leoluk/NetMeta/internal/bench/script"
)

// table is the flows_raw of a design, in a database with the design's name, and what it
// took to fill it.
type table struct {
	design
	columns string // that are stored, for INSERT
	rows    int
	insert  spent
	merge   spent
	size    size
}

// loader fills the tables of all designs with the same flows, block by block.
type loader struct {
	*stage
	tables   []*table
	newest   time.Time // where the newest seconds begin
	progress io.Writer
}

// insertSettings make one part of each block, with one thread, as a Kafka consumer does.
const insertSettings = ` SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = 1048576,
	min_insert_block_size_rows = 1048576, min_insert_block_size_bytes = 0`

// newestSeconds is for how long flows are in parts of their own in a running system, the
// newer the smaller: the newest second, the two before it, the four before these, ...
const newestSeconds = 1<<6 - 1

// load stores the traffic in every design and merges each partition to one part, which
// is what the background merges come to, except for the newest seconds.
func (l *loader) load(ctx context.Context, t traffic) error {
	began, rows := time.Now(), 0
	l.newest = t.end().Add(-newestSeconds * time.Second)
	if err := l.run(ctx, staging, "CREATE TABLE newest AS flows_raw ENGINE = Memory"); err != nil {
		return err
	}
	err := t.blocks(ctx, func(b block) error {
		arrived, err := l.put(ctx, b)
		if err != nil {
			return err
		}
		for i := range l.tables {
			// Each comes first in some blocks.
			if err := l.store(ctx, l.tables[(i+rows/blockRows)%len(l.tables)]); err != nil {
				return err
			}
		}
		if err := l.run(ctx, staging, "INSERT INTO newest SELECT * FROM block WHERE "+l.isNewest(0, newestSeconds)); err != nil {
			return err
		}
		rows += arrived
		fmt.Fprintf(l.progress, "stored %s of %s flows after %s\n", script.Comma(rows), script.Comma(t.rows), time.Since(began).Round(time.Second))
		return nil
	})
	if err != nil {
		return fmt.Errorf("store flows: %w", err)
	}
	for _, t := range l.tables {
		t.rows = rows
		if err := l.finish(ctx, t); err != nil {
			return fmt.Errorf("finish the table of design %s: %w", t.name, err)
		}
		fmt.Fprintf(l.progress, "%s: stored with %.1f s of processor time, merged with %.1f s, %.1f bytes a row\n",
			t.name, t.insert.cpu.Seconds(), t.merge.cpu.Seconds(), t.size.total/float64(rows))
	}
	if err := l.run(ctx, staging, "DROP TABLE newest"); err != nil {
		return err
	}
	return l.run(ctx, staging, "TRUNCATE TABLE block")
}

// isNewest is the condition for flows of those seconds, counted from newest on.
func (l *loader) isNewest(from, to int) string {
	second := func(n int) int64 { return l.newest.Add(time.Duration(n) * time.Second).Unix() }
	return fmt.Sprintf("TimeReceived >= %d AND TimeReceived < %d", second(from), second(to))
}

// store copies the block that is in the staging database, without the newest flows.
func (l *loader) store(ctx context.Context, t *table) error {
	took, err := timed(func() error {
		return l.run(ctx, t.name, "INSERT INTO flows_raw ("+t.columns+") SELECT "+t.columns+" FROM "+staging+".block WHERE NOT ("+l.isNewest(0, newestSeconds)+")"+insertSettings)
	})
	t.insert.add(took)
	return err
}

func (l *loader) finish(ctx context.Context, t *table) (err error) {
	if t.merge, err = timed(func() error { return l.run(ctx, t.name, "OPTIMIZE TABLE flows_raw FINAL") }); err != nil {
		return err
	}
	if err := l.run(ctx, t.name, "SYSTEM STOP MERGES flows_raw"); err != nil {
		return err
	}
	for to, seconds := newestSeconds, 1; to > 0; to, seconds = to-seconds, 2*seconds {
		err := l.run(ctx, t.name, "INSERT INTO flows_raw ("+t.columns+") SELECT "+t.columns+" FROM "+staging+".newest WHERE "+l.isNewest(to-seconds, to)+insertSettings)
		if err != nil {
			return err
		}
	}
	stored, err := l.number(ctx, t.name, "SELECT count() FROM flows_raw")
	if err == nil && int(stored) != t.rows {
		return fmt.Errorf("it holds %.0f rows of %d: rows were lost", stored, t.rows)
	}
	if err == nil {
		t.size, err = l.weigh(ctx, t.name)
	}
	return err
}
