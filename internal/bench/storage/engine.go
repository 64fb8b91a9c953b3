//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// engine is the embedded ClickHouse, as the benchmark uses it.
type engine struct{ *chdb.Engine }

// run executes a statement in a database.
func (e engine) run(ctx context.Context, database, sql string) error {
	_, _, err := e.query(ctx, database, sql, nil)
	return err
}

// query runs a statement and returns its output, as TabSeparated, and what it has read.
func (e engine) query(ctx context.Context, database, sql string, settings map[string]string) (string, chdb.Stats, error) {
	r, err := e.Query(ctx, chdb.Query{SQL: []byte(sql), Database: database, Settings: settings})
	if err != nil {
		return "", chdb.Stats{}, fmt.Errorf("in database %s: %s: %w", database, firstLine(sql), err)
	}
	defer r.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, r); err != nil {
		return "", chdb.Stats{}, fmt.Errorf("in database %s: %s: %w", database, firstLine(sql), err)
	}
	return strings.TrimSuffix(out.String(), "\n"), r.Stats(), nil
}

// number runs a query with one number as its answer.
func (e engine) number(ctx context.Context, database, sql string) (float64, error) {
	out, _, err := e.query(ctx, database, sql, nil)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(out, 64)
	if err != nil {
		return 0, fmt.Errorf("in database %s: %s: %w", database, firstLine(sql), err)
	}
	return n, nil
}

func firstLine(sql string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(sql), "\n")
	return line
}

// spent is a span of time, and the processor time that the process took in it.
type spent struct{ wall, cpu time.Duration }

func (s *spent) add(o spent) { s.wall += o.wall; s.cpu += o.cpu }

// timed runs work and returns what it took. The engine is part of this process.
func timed(work func() error) (spent, error) {
	before, began := processorTime(), time.Now()
	err := work()
	return spent{wall: time.Since(began), cpu: processorTime() - before}, err
}

func processorTime() time.Duration {
	var usage unix.Rusage
	// It fails only for arguments that are none.
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
