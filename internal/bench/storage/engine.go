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

// engine is the embedded ClickHouse.
type engine struct{ *chdb.Engine }

// ask runs a statement in a database and returns its answer, as tab-separated text, and
// what it has read.
func (e engine) ask(ctx context.Context, database, sql string, settings map[string]string) (string, chdb.Stats, error) {
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

func (e engine) text(ctx context.Context, database, sql string) (string, error) {
	out, _, err := e.ask(ctx, database, sql, nil)
	return out, err
}

func (e engine) run(ctx context.Context, database, sql string) error {
	_, err := e.text(ctx, database, sql)
	return err
}

// number runs a query whose answer is one number.
func (e engine) number(ctx context.Context, database, sql string) (float64, error) {
	out, err := e.text(ctx, database, sql)
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

// spent is a span of time, and the processor time that went by in it.
type spent struct{ wall, cpu time.Duration }

func (s *spent) add(o spent) { s.wall += o.wall; s.cpu += o.cpu }

// timed says what work took. The engine, and the broker, are part of this process, which
// does nothing else in the meantime.
func timed(work func() error) (spent, error) {
	before, began := processorTime(), time.Now()
	err := work()
	return spent{wall: time.Since(began), cpu: processorTime() - before}, err
}

func processorTime() time.Duration {
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage) // fails for bad arguments only
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
