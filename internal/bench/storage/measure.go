//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// latency is what a query took in one design: the best of the rounds.
type latency struct {
	warm, cold time.Duration
	rows       uint64
	bytes      uint64
}

// querySettings switch off the cache that remembers which parts of a table have no row
// for a condition: nobody repeats a condition at once.
var querySettings = map[string]string{"max_threads": "2", "use_query_condition_cache": "0"}

type measurement struct {
	query
	byDesign map[string]latency
}

func (e engine) measure(ctx context.Context, l *loader, fill *strings.Replacer, rounds, coldRounds int, only string, progress io.Writer) ([]measurement, error) {
	var all []measurement
	for _, q := range queries {
		if only != "" && !strings.Contains(q.name, only) {
			continue
		}
		m := measurement{query: q, byDesign: map[string]latency{}}
		sql := fill.Replace(q.sql)
		var answer string
		for round := range rounds + 1 {
			for i := range l.designs {
				d := l.designs[(i+round)%len(l.designs)]
				var out string
				var stats chdb.Stats
				both, err := timed(func() (err error) { out, stats, err = e.query(ctx, d.name, sql, querySettings); return err })
				if err != nil {
					return nil, err
				}
				took := both.cpu
				if round == 0 {
					if answer == "" {
						answer = out
					}
					if !strings.HasPrefix(q.name, "newest") && !strings.HasPrefix(q.name, "rare host, all") && !strings.HasPrefix(q.name, "top flows") && !strings.HasPrefix(q.name, "sources per") && out != answer && !strings.Contains(sql, "LIMIT") {
						return nil, fmt.Errorf("%s: %s answers otherwise than %s", q.name, d.name, l.designs[0].name)
					}
					m.byDesign[d.name] = latency{warm: time.Hour, cold: time.Hour, rows: stats.ReadRows, bytes: stats.ReadBytes}
					continue
				}
				v := m.byDesign[d.name]
				v.warm = min(v.warm, took)
				m.byDesign[d.name] = v
			}
		}
		for range coldRounds {
			for _, d := range l.designs {
				if err := e.chill(ctx, d.name); err != nil {
					return nil, err
				}
				began := time.Now()
				if _, _, err := e.query(ctx, d.name, sql, querySettings); err != nil {
					return nil, err
				}
				v := m.byDesign[d.name]
				v.cold = min(v.cold, time.Since(began))
				m.byDesign[d.name] = v
			}
		}
		fmt.Fprintf(progress, "measured: %s\n", q.name)
		all = append(all, m)
	}
	return all, nil
}

// chill makes the next query of a database read from the disk: ClickHouse's caches are
// dropped, and of the kernel's cache what belongs to the database's files, and nothing of
// anybody else.
func (e engine) chill(ctx context.Context, database string) error {
	for _, cache := range []string{"MARK", "INDEX MARK", "PRIMARY INDEX", "UNCOMPRESSED", "INDEX UNCOMPRESSED", "QUERY CONDITION", "MMAP"} {
		if err := e.run(ctx, database, "SYSTEM DROP "+cache+" CACHE"); err != nil {
			return err
		}
	}
	paths, _, err := e.query(ctx, database, "SELECT path FROM system.parts WHERE active AND database = currentDatabase()", nil)
	if err != nil {
		return err
	}
	for path := range strings.Lines(paths) {
		if err := evict(strings.TrimSpace(path)); err != nil {
			return err
		}
	}
	return nil
}

func evict(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		// Only what is on the disk can be forgotten.
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
			return fmt.Errorf("flush %s: %w", path, err)
		}
		if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return fmt.Errorf("evict %s: %w", path, err)
		}
		return nil
	})
}
