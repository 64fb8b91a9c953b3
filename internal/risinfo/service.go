// Package risinfo knows which AS originates which prefix, and who holds which AS number. It
// gets routing tables and lists of names from archives or files, on a schedule of its own,
// serves what it makes of them over HTTP and loads it into ClickHouse.
//
// Nothing waits for it. What is away, broken or implausible leaves the table of before in
// use, in memory, on disk and in ClickHouse.
package risinfo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// Config says what is read, and how often.
type Config struct {
	RIBs     []string      // routing tables: URLs and files, see fetch.Get
	Names    []string      // names and countries, the best first
	Dir      string        // for what was downloaded and the last good tables
	Interval time.Duration // between refreshes
	MinShare float64       // of the rows of the table in use that a new one has to have
	MinPeers int           // that have to have a prefix
	Fetcher  *fetch.Fetcher
	Loader   *load.Loader // nil: nothing is loaded
}

// LoadInto has the tables loaded into ClickHouse, too.
func (c *Config) LoadInto(db *sql.DB) { c.Loader = load.New(db) }

// Table is a table that is in use. It is not changed any more.
type Table[Row any] struct {
	Rows  []Row
	Built time.Time // when its sources were read
	From  string    // what it was made of, for people
}

// Service gets tables and hands them out.
type Service struct {
	config Config
	routes kind[route.Route]
	names  kind[names.Name]

	stop context.CancelFunc
	done sync.WaitGroup
}

// kind is one of the two kinds of tables.
type kind[Row any] struct {
	label   string   // of metrics
	file    string   // of the last good table, in Dir
	table   string   // in ClickHouse
	sources []string // that it is made of
	build   func(context.Context) (*Table[Row], error)
	save    func(path string, rows []Row) error
	load    func(context.Context, *Table[Row]) error
	parts   func([]Row) map[string]int // sizes that have to be plausible each

	current atomic.Pointer[Table[Row]]
	ended   atomic.Pointer[ending] // the last refresh that made no new table, until it is noted
	noted   ending                 // what as_loads says of one
	away    error                  // why sources could not be had last
	loaded  *Table[Row]            // that ClickHouse has
	changed map[string]time.Time   // when local files were changed last
}

// New returns a service that has read the last good tables from disk. Start starts it.
func New(c Config) (*Service, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory for tables: %w", err)
	}
	if c.Fetcher == nil {
		c.Fetcher = fetch.New(c.Dir)
	}
	s := &Service{config: c}
	s.setUpRoutes()
	s.setUpNames()
	s.routes.restore(filepath.Join(c.Dir, s.routes.file), readRoutesFile)
	s.names.restore(filepath.Join(c.Dir, s.names.file), readNamesFile)
	return s, nil
}

// Start refreshes tables until Stop is called, now and then on the schedule.
func (s *Service) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.done.Go(func() { s.refreshing(ctx) })
	if s.config.Loader != nil {
		s.done.Go(func() { s.loading(ctx) })
	}
}

// Stop ends what is under way. What was downloaded in part is downloaded again next time.
func (s *Service) Stop() {
	s.stop()
	s.done.Wait()
}

// Routes returns the routing table, nil as long as there is none.
func (s *Service) Routes() *Table[route.Route] { return s.routes.current.Load() }

// Names returns the names, nil as long as there are none.
func (s *Service) Names() *Table[names.Name] { return s.names.current.Load() }

// Ready is whether there is a table of each kind that is asked for.
func (s *Service) Ready() error {
	if len(s.config.RIBs) > 0 && s.Routes() == nil {
		return fmt.Errorf("there is no routing table yet")
	}
	if len(s.config.Names) > 0 && s.Names() == nil {
		return fmt.Errorf("there are no names yet")
	}
	return nil
}

// Checks are the service's health checks.
func (s *Service) Checks() []metrics.Check {
	return []metrics.Check{{Name: "tables", Probe: s.Ready}}
}

// retryInterval is when a refresh is tried again of which something failed.
const retryInterval = 10 * time.Minute

func (s *Service) refreshing(ctx context.Context) {
	for {
		failed := s.Refresh(ctx) != nil
		next := s.config.Interval
		if failed {
			next = min(next, retryInterval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

// Refresh gets what has changed, once. An error says what stays as it was, and why.
func (s *Service) Refresh(ctx context.Context) error {
	routes := s.routes.refresh(ctx, s.config)
	names := s.names.refresh(ctx, s.config)
	if routes != nil {
		return routes
	}
	return names
}

func (k *kind[Row]) refresh(ctx context.Context, c Config) error {
	if len(k.sources) == 0 {
		return nil
	}
	table, err := k.build(ctx)
	if err == nil && table != nil {
		err = k.plausible(table, c.MinShare)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		refreshes.WithLabelValues(k.label, outcomeFailed).Inc()
		k.ended.Store(&ending{time.Now(), text(err)})
		slog.Error("risinfo: the table in use stays", "table", k.label, "error", err)
		return err
	}
	if table == nil {
		refreshes.WithLabelValues(k.label, outcomeUnchanged).Inc()
		k.ended.Store(&ending{time.Now(), text(k.away)})
		return nil
	}
	refreshes.WithLabelValues(k.label, outcomeNew).Inc()
	slog.Info("risinfo: a new table is in use", "table", k.label, "rows", len(table.Rows), "from", table.From)
	k.use(table)
	path := filepath.Join(c.Dir, k.file)
	if err := errors.Join(k.save(path, table.Rows), os.Chtimes(path, time.Time{}, table.Built)); err != nil {
		// It is a good table all the same.
		slog.Error("risinfo: the table could not be kept on disk; after a restart an older one is used until the sources are read", "table", k.label, "error", err)
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// plausible refuses a table that has lost most of what the one in use has.
func (k *kind[Row]) plausible(table *Table[Row], minShare float64) error {
	if len(table.Rows) == 0 {
		return fmt.Errorf("the new table is empty")
	}
	current := k.current.Load()
	if current == nil {
		return nil
	}
	before, after := k.parts(current.Rows), k.parts(table.Rows)
	for part, n := range before {
		if float64(after[part]) < minShare*float64(n) {
			implausible.WithLabelValues(k.label).Inc()
			return fmt.Errorf("the new table has %d rows of %s, the one in use has %d: less than --min-share %g of it is implausible (to use it all the same, start once with --min-share 0)", after[part], part, n, minShare)
		}
	}
	return nil
}

func (k *kind[Row]) use(table *Table[Row]) {
	k.current.Store(table)
	rows.WithLabelValues(k.label).Set(float64(len(table.Rows)))
	builtAt.WithLabelValues(k.label).Set(float64(table.Built.Unix()))
}

// restore uses the last good table on disk, if there is one that can be read.
func (k *kind[Row]) restore(path string, read func(string) ([]Row, error)) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	found, err := read(path)
	if err != nil {
		slog.Warn("risinfo: the last good table cannot be read and is not used", "table", k.label, "error", err)
		return
	}
	k.use(&Table[Row]{Rows: found, Built: info.ModTime(), From: "last good table on disk"})
}
