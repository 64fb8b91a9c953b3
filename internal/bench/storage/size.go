//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// size is what a table takes on the disk, in bytes.
type size struct {
	total   float64
	columns map[string]float64
	extra   map[string]float64 // of indexes, projections and marks
}

// weigh asks how large the table flows_raw of a database is.
func (e engine) weigh(ctx context.Context, database string) (s size, err error) {
	s.total, err = e.number(ctx, database, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows_raw'")
	if err != nil {
		return s, err
	}
	s.columns, err = e.numbers(ctx, database, "SELECT name, data_compressed_bytes FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw'")
	if err != nil {
		return s, err
	}
	s.extra, err = e.numbers(ctx, database, `
		SELECT 'index ' || name, data_compressed_bytes + marks_bytes FROM system.data_skipping_indices WHERE database = currentDatabase()
		UNION ALL
		SELECT 'projection ' || name, sum(bytes_on_disk) FROM system.projection_parts WHERE active AND database = currentDatabase() GROUP BY name
		UNION ALL
		SELECT 'marks', sum(marks_bytes) FROM system.parts WHERE active AND database = currentDatabase()`)
	return s, err
}

// numbers runs a query whose answer is names and numbers.
func (e engine) numbers(ctx context.Context, database, sql string) (map[string]float64, error) {
	out, err := e.text(ctx, database, sql)
	if err != nil {
		return nil, err
	}
	numbers := map[string]float64{}
	for line := range strings.Lines(out) {
		name, number, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if numbers[name], err = strconv.ParseFloat(number, 64); err != nil {
			return nil, fmt.Errorf("in database %s: %s: %w", database, firstLine(sql), err)
		}
	}
	return numbers, nil
}
