//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// latency is what a query took in one design.
type latency struct {
	warm, cold []time.Duration // of each round
	cpu        []time.Duration // processor time, warm
	rows       uint64          // read
	bytes      uint64          // read, uncompressed
}

// measurement is a query in every design, in the order of the designs.
type measurement struct {
	query
	latencies []latency
}

// querySettings make queries comparable. The cache of conditions would answer the second
// round from the first; nobody asks the same again at once.
var querySettings = map[string]string{"max_threads": "2", "use_query_condition_cache": "0"}

// bench is what is measured and how often.
type bench struct {
	engine
	tables     []*table
	fill       *strings.Replacer
	warm, cold int // rounds
	progress   io.Writer
}

func (b *bench) run(ctx context.Context, queries []query) ([]measurement, error) {
	var all []measurement
	for i, q := range queries {
		m := measurement{query: q, latencies: make([]latency, len(b.tables))}
		m.sql = b.fill.Replace(q.sql)
		if err := b.compare(ctx, &m); err != nil {
			return nil, err
		}
		for round := range b.cold + b.warm {
			for j := range b.tables {
				// Each comes first in some rounds.
				if err := b.once(ctx, &m, (j+round)%len(b.tables), round < b.cold); err != nil {
					return nil, err
				}
			}
		}
		fmt.Fprintf(b.progress, "query %d of %d: %s\n", i+1, len(queries), q.name)
		all = append(all, m)
	}
	return all, nil
}

// compare makes sure that all designs give the same answer.
func (b *bench) compare(ctx context.Context, m *measurement) error {
	first := ""
	for i, t := range b.tables {
		answer, stats, err := b.ask(ctx, t.name, m.sql, querySettings)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		m.latencies[i].rows, m.latencies[i].bytes = stats.ReadRows, stats.ReadBytes
		if i == 0 {
			first = answer
		}
		if answer != first && !m.loose {
			return fmt.Errorf("%s: design %s does not answer as %s does:\n%s\n---\n%s", m.name, t.name, b.tables[0].name, firstLine(answer), firstLine(first))
		}
	}
	return nil
}

func (b *bench) once(ctx context.Context, m *measurement, i int, cold bool) error {
	if cold {
		if err := b.chill(ctx, b.tables[i].name); err != nil {
			return err
		}
	}
	took, err := timed(func() error {
		_, _, err := b.ask(ctx, b.tables[i].name, m.sql, querySettings)
		return err
	})
	l := &m.latencies[i]
	if cold {
		l.cold = append(l.cold, took.wall)
	} else {
		l.warm, l.cpu = append(l.warm, took.wall), append(l.cpu, took.cpu)
	}
	return err
}
