package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/risinfo"
)

// startRisinfo gets routing tables and names where it is told to. Also where it is not, it
// looks after the dictionaries, which the storing of flows depends on.
func (s *standalone) startRisinfo(context.Context) error {
	sources := s.risinfo
	if s.demo {
		prefixes, names, err := s.writeDemoTables()
		if err != nil {
			return fmt.Errorf("write the names of the demo: %w", err)
		}
		sources.AddSources(prefixes, names)
	}
	tables, err := sources.Config(s.dir.risinfo())
	if err != nil {
		return err
	}
	tables.LoadInto(s.db)
	service, err := risinfo.New(tables)
	if err != nil {
		return err
	}
	service.Start()
	s.onStop(service.Stop)
	return nil
}

// writeDemoTables writes who has which prefix in the demo's world.
func (s *standalone) writeDemoTables() (prefixes, names string, err error) {
	if err := os.MkdirAll(s.dir.risinfo(), 0o750); err != nil {
		return "", "", err
	}
	prefixes, names = filepath.Join(s.dir.risinfo(), "demo-prefixes.tsv"), filepath.Join(s.dir.risinfo(), "demo-names.tsv")
	toPrefixes, err := os.Create(prefixes)
	if err != nil {
		return "", "", err
	}
	toNames, err := os.Create(names)
	if err != nil {
		return "", "", errors.Join(err, toPrefixes.Close())
	}
	err = generate.WriteTables(generate.Holders(demoSeed), toPrefixes, toNames)
	return prefixes, names, errors.Join(err, toPrefixes.Close(), toNames.Close())
}
