package spool

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// open opens a spool with small segments, so that few batches fill several.
func open(t testing.TB, cfg Config) (*Spool, []*Batch) {
	t.Helper()
	if cfg.Limit == 0 {
		cfg.Limit = 1 << 30
	}
	if cfg.Segment == 0 {
		cfg.Segment = 1000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, begun, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, begun
}

// add appends batches of one flow each.
func add(t testing.TB, s *Spool, batches ...string) {
	t.Helper()
	for _, b := range batches {
		if !s.Append([]byte(b), 1) {
			t.Fatalf("%q is not in a file", b)
		}
	}
}

// numbered returns n batches, of 100 bytes and a number.
func numbered(n int) (batches []string) {
	for i := range n {
		batches = append(batches, fmt.Sprintf("%d%s", i, strings.Repeat(".", 100)))
	}
	return batches
}

// next hands out the oldest batch; there has to be one.
func next(t testing.TB, s *Spool) *Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := s.Next(ctx)
	if b == nil {
		t.Fatal("no batch waits")
	}
	return b
}

func data(t testing.TB, s *Spool, b *Batch) string {
	t.Helper()
	d, err := s.Data(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(d)
}

// drain delivers all that waits, and returns what can be read of it, in order.
func drain(t testing.TB, s *Spool) (read []string, damaged int) {
	t.Helper()
	for {
		s.mu.Lock()
		n := s.waiting.len()
		s.mu.Unlock()
		if n == 0 {
			return read, damaged
		}
		b := next(t, s)
		if d, err := s.Data(b); err == nil {
			read = append(read, string(d))
		} else {
			damaged++
		}
		s.Done(b)
	}
}

func want(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %d batches %.60q, want %d %.60q", len(got), got, len(want), want)
	}
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// onDisk is the size of all segments.
func onDisk(t testing.TB, dir string) (size int64) {
	t.Helper()
	for _, path := range files(t, dir) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}
