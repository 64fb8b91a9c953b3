//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
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
	progress io.Writer
}

// insertSettings make one part of each block, with one thread, as a Kafka consumer does.
const insertSettings = ` SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = 1048576,
	min_insert_block_size_rows = 1048576, min_insert_block_size_bytes = 0`

// load stores the traffic in every design and merges each partition to one part, which
// is what the background merges come to.
func (l *loader) load(ctx context.Context, t traffic) error {
	began, rows := time.Now(), 0
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
		rows += arrived
		fmt.Fprintf(l.progress, "stored %s of %s flows after %s\n", comma(rows), comma(t.rows), time.Since(began).Round(time.Second))
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
	return l.run(ctx, staging, "TRUNCATE TABLE block")
}

// store copies the block that is in the staging database.
func (l *loader) store(ctx context.Context, t *table) error {
	took, err := timed(func() error {
		return l.run(ctx, t.name, "INSERT INTO flows_raw ("+t.columns+") SELECT "+t.columns+" FROM "+staging+".block"+insertSettings)
	})
	t.insert.add(took)
	return err
}

func (l *loader) finish(ctx context.Context, t *table) (err error) {
	stored, err := l.number(ctx, t.name, "SELECT count() FROM flows_raw")
	if err != nil {
		return err
	}
	if int(stored) != t.rows {
		return fmt.Errorf("it holds %.0f rows of %d: rows were lost", stored, t.rows)
	}
	if t.merge, err = timed(func() error { return l.run(ctx, t.name, "OPTIMIZE TABLE flows_raw FINAL") }); err != nil {
		return err
	}
	t.size, err = l.weigh(ctx, t.name)
	return err
}

func comma(n int) string { return humanize.Comma(int64(n)) }
