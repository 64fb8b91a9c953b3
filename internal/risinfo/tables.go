package risinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

func (s *Service) setUpRoutes() {
	r := &s.routes
	r.label, r.file, r.table, r.sources = labelRoutes, "rib.tsv.gz", load.Prefixes, s.config.RIBs
	r.save = func(path string, rows []route.Route) error {
		return writeFile(path, func(w io.Writer) error { return route.WriteTSV(w, rows) })
	}
	r.load = func(ctx context.Context, t *Table[route.Route]) error {
		return s.config.Loader.Routes(ctx, t.Rows, t.Built, t.From)
	}
	r.parts = families
	r.build = s.buildRoutes
}

func (s *Service) setUpNames() {
	n := &s.names
	n.label, n.file, n.table, n.sources = labelNames, "autnums.tsv.gz", load.Names, s.config.Names
	n.save = func(path string, rows []names.Name) error {
		return writeFile(path, func(w io.Writer) error { return names.WriteTSV(w, rows) })
	}
	n.load = func(ctx context.Context, t *Table[names.Name]) error {
		return s.config.Loader.Names(ctx, t.Rows, t.Built, t.From)
	}
	n.parts = func(rows []names.Name) map[string]int { return map[string]int{"AS numbers": len(rows)} }
	n.build = s.buildNames
}

// families counts prefixes by address family: a table that has lost all of one is broken.
func families(routes []route.Route) map[string]int {
	four := 0
	for i := range routes {
		if routes[i].Prefix().Addr().Is4() {
			four++
		}
	}
	return map[string]int{"IPv4": four, "IPv6": len(routes) - four}
}

// buildRoutes makes a table of all sources, or returns nil where none has changed.
func (s *Service) buildRoutes(ctx context.Context) (*Table[route.Route], error) {
	k := &s.routes
	found, changed := k.get(ctx, s.config.Fetcher)
	if !changed {
		return nil, nil
	}
	var tables [][]route.Route
	leftOut := map[string]int{}
	built, peers := time.Now(), 0
	from, err := k.readAll(ctx, s.config, found, func(path string) error {
		var b route.Builder
		stats, err := readRoutes(path, &b)
		if err != nil {
			return err
		}
		peers += stats.Peers
		add(leftOut, b.LeftOut)
		tables = append(tables, b.Routes())
		return nil
	})
	if err != nil {
		return nil, err
	}
	// A collector with a single peer is no reason to have no table.
	merged, fewer := route.Merge(tables, min(s.config.MinPeers, peers))
	add(leftOut, fewer)
	countLeftOut(k.label, leftOut)
	return &Table[route.Route]{Rows: merged, Built: built, From: from}, nil
}

// readRoutes reads a routing table in MRT form, or lines of prefix and AS number.
func readRoutes(path string, b *route.Builder) (stats mrt.Stats, err error) {
	content, err := fetch.Open(path)
	if err != nil {
		return stats, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if content.Text {
		return stats, route.ReadTSV(content, b)
	}
	return mrt.Read(content, b.Add)
}

func (s *Service) buildNames(ctx context.Context) (*Table[names.Name], error) {
	k := &s.names
	found, changed := k.get(ctx, s.config.Fetcher)
	if !changed {
		return nil, nil
	}
	var registry names.Registry
	built := time.Now()
	from, err := k.readAll(ctx, s.config, found, func(path string) error { return readNames(path, &registry) })
	if err != nil {
		return nil, err
	}
	countLeftOut(k.label, registry.LeftOut)
	return &Table[names.Name]{Rows: registry.Names(), Built: built, From: from}, nil
}

func readNames(path string, registry *names.Registry) (err error) {
	content, err := fetch.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if !content.Text {
		return errors.New("it is not text")
	}
	return registry.Read(content)
}

// readRoutesFile and readNamesFile read the last good tables.
func readRoutesFile(path string) ([]route.Route, error) {
	var b route.Builder
	if _, err := readRoutes(path, &b); err != nil {
		return nil, err
	}
	return b.Routes(), nil
}

func readNamesFile(path string) ([]names.Name, error) {
	var registry names.Registry
	if err := readNames(path, &registry); err != nil {
		return nil, err
	}
	return registry.Names(), nil
}

func add(sum, more map[string]int) {
	for reason, n := range more {
		sum[reason] += n
	}
}

// writeFile writes a compressed file, which takes the place of an earlier one at once.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer file.Cleanup()
	zipped := gzip.NewWriter(file)
	if err := errors.Join(write(zipped), zipped.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
