//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// loaded is a design's table and what it took to fill it.
type loaded struct {
	design
	names        string // of the columns, for INSERT
	insert       spent
	merge        spent
	rows         int
	bytes        float64            // on disk, everything
	bytesColumns map[string]float64 // compressed, by column
	bytesExtra   map[string]float64 // on disk, by index and projection; "primary key"
}

// loader fills the tables of all designs, block by block, with the same flows.
type loader struct {
	engine
	designs   []*loaded
	structure string // of received
	parse     spent  // from protobuf to columns, once for all
	progress  io.Writer
}

// insertSettings make one part of each block, with one thread, as a Kafka consumer does.
const insertSettings = " SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = 1048576, min_insert_block_size_rows = 1048576, min_insert_block_size_bytes = 0, deduplicate_insert = 'disable'"

func (l *loader) load(ctx context.Context, t traffic, blockRows int) error {
	began, done := time.Now(), 0
	last := began
	if os.Getenv("STAGED") != "" {
		n, err := l.number(ctx, staging, "SELECT max(Block)+1 FROM stage")
		if err != nil {
			return err
		}
		for k := range int(n) {
			if done >= t.rows {
				break
			}
			for i := range l.designs {
				d := l.designs[(i+k)%len(l.designs)]
				took, err := timed(func() error {
					return l.run(ctx, d.name, "INSERT INTO flows_raw ("+d.names+") SELECT "+d.names+" FROM "+staging+fmt.Sprintf(".stage WHERE Block = %d", k)+insertSettings)
				})
				if err != nil {
					return err
				}
				d.insert.add(took)
			}
			done += blockRows
		}
		r, err := l.number(ctx, l.designs[0].name, "SELECT count() FROM flows_raw")
		if err != nil {
			return err
		}
		done = int(r)
		return l.finish(ctx, done)
	}
	block := 0
	err := t.blocks(ctx, blockRows, func(messages []byte, rows int) error {
		if err := l.block(ctx, messages, rows); err != nil {
			return err
		}
		if os.Getenv("STAGE") != "" {
			if err := l.run(ctx, staging, fmt.Sprintf("INSERT INTO stage SELECT *, %d FROM batch", block)); err != nil {
				return err
			}
			block++
		}
		if err := l.run(ctx, staging, "TRUNCATE TABLE batch"); err != nil {
			return err
		}
		done += rows
		if time.Since(last) > 5*time.Second || done == t.rows {
			last = time.Now()
			fmt.Fprintf(l.progress, "loaded %s of %s rows in %s\n", humanize.Comma(int64(done)), humanize.Comma(int64(t.rows)), time.Since(began).Round(time.Second))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.finish(ctx, done)
}

func (l *loader) finish(ctx context.Context, done int) (err error) {
	for _, d := range l.designs {
		d.rows = done
		d.merge, err = timed(func() error { return l.run(ctx, d.name, "OPTIMIZE TABLE flows_raw FINAL") })
		if err != nil {
			return err
		}
		fmt.Fprintf(l.progress, "%s: inserted with %.1f s of processor time, merged with %.1f s\n", d.name, d.insert.cpu.Seconds(), d.merge.cpu.Seconds())
		if err := l.weigh(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// block makes rows of protobuf messages, by the view that does it in production, and
// stores them in every design, each in turn the first.
func (l *loader) block(ctx context.Context, messages []byte, rows int) error {
	sql := append([]byte("INSERT INTO received FORMAT Protobuf\n"), messages...)
	took, err := timed(func() error {
		r, err := l.Query(ctx, chdb.Query{SQL: sql, Database: staging, Settings: map[string]string{
			"format_schema_source": "string", "format_schema": flowMessage, "format_schema_message_name": "FlowMessage",
			"max_query_size": "1000000000", "max_insert_block_size": "1048576", "min_insert_block_size_rows": "1048576", "min_insert_block_size_bytes": "0",
			"max_threads": "1", "max_block_size": "1048576",
		}})
		if err != nil {
			return fmt.Errorf("parse a block of %d flows: %w", rows, err)
		}
		return r.Close()
	})
	if err != nil {
		return err
	}
	l.parse.add(took)
	for _, d := range l.designs {
		took, err := timed(func() error {
			return l.run(ctx, d.name, "INSERT INTO flows_raw ("+d.names+") SELECT "+d.names+" FROM "+staging+".batch"+insertSettings)
		})
		if err != nil {
			return err
		}
		d.insert.add(took)
	}
	return nil
}

// weigh asks how large the table has become.
func (l *loader) weigh(ctx context.Context, d *loaded) error {
	var err error
	if d.bytes, err = l.number(ctx, d.name, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows_raw'"); err != nil {
		return err
	}
	rows, err := l.number(ctx, d.name, "SELECT count() FROM flows_raw SETTINGS optimize_use_implicit_projections = 1")
	if err != nil {
		return err
	}
	if int(rows) != d.rows {
		return fmt.Errorf("%s holds %.0f rows, want %d: rows were lost", d.name, rows, d.rows)
	}
	d.bytesColumns, err = l.sizes(ctx, d.name, "SELECT name, data_compressed_bytes FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw'")
	if err != nil {
		return err
	}
	d.bytesExtra, err = l.sizes(ctx, d.name, `
		SELECT name, data_compressed_bytes + marks_bytes FROM system.data_skipping_indices WHERE database = currentDatabase()
		UNION ALL SELECT name, sum(bytes_on_disk) FROM system.projection_parts WHERE active AND database = currentDatabase() GROUP BY name
		UNION ALL SELECT 'marks', sum(marks_bytes) FROM system.parts WHERE active AND database = currentDatabase()
		UNION ALL SELECT 'primary key in memory', sum(primary_key_bytes_in_memory) FROM system.parts WHERE active AND database = currentDatabase()`)
	return err
}

func (l *loader) sizes(ctx context.Context, database, sql string) (map[string]float64, error) {
	out, _, err := l.query(ctx, database, sql, nil)
	if err != nil {
		return nil, err
	}
	sizes := map[string]float64{}
	for line := range strings.Lines(out) {
		var name string
		var n float64
		name, number, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := fmt.Sscan(number, &n); err != nil {
			return nil, fmt.Errorf("%s: %w", firstLine(sql), err)
		}
		sizes[name] = n
	}
	return sizes, nil
}
