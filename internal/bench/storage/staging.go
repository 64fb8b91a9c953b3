//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/leoluk/NetMeta/pb"
)

// staging is the database in which messages become rows, before they are stored in
// each design.
const staging = "staging"

var flowMessage = pb.Definition

// stage creates the staging tables and returns the columns of flows_raw.
func (e engine) stage(ctx context.Context) ([]column, error) {
	if os.Getenv("STAGED") == "" {
		if err := e.run(ctx, "default", "CREATE DATABASE "+staging); err != nil {
			return nil, err
		}
		read := func(name string) string { b, _ := os.ReadFile(os.Getenv("SCHEMA_DIR") + "/" + name); return string(b) }
		for _, sql := range []string{
			read("0001_flows_raw.up.sql"), read("0007_flows_raw_facts.up.sql"),
			strings.Replace(read("0008_flows_received.up.sql"), "flows_received", "received", 1),
			"CREATE TABLE batch AS flows_raw ENGINE = Memory",
			strings.NewReplacer("ALTER TABLE flows_raw_view MODIFY QUERY", "CREATE MATERIALIZED VIEW to_batch TO batch AS", "flows_received", "received").Replace(read("0010_flows_raw_view_facts.up.sql")),
		} {
			if err := e.run(ctx, staging, sql); err != nil {
				return nil, err
			}
		}
		if os.Getenv("STAGE") != "" {
			if err := e.query1(ctx, staging, "CREATE TABLE stage ENGINE = MergeTree PARTITION BY Block ORDER BY tuple() AS SELECT *, 0::UInt32 AS Block FROM batch LIMIT 0"); err != nil {
				return nil, err
			}
		}
	}
	out, _, err := e.query(ctx, staging, "SELECT name, type, compression_codec FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND default_kind = '' ORDER BY position", nil)
	if err != nil {
		return nil, err
	}
	var all []column
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		codec := strings.TrimSuffix(strings.TrimPrefix(fields[2], "CODEC("), ")")
		all = append(all, column{fields[0], strings.ReplaceAll(fields[1], `\'`, `'`), codec})
	}
	return all, nil
}

func (e engine) prepare(ctx context.Context, designs []design, progress io.Writer) (*loader, error) {
	all, err := e.stage(ctx)
	if err != nil {
		return nil, err
	}
	structure, _, err := e.query(ctx, staging, "SELECT arrayStringConcat(groupArray(concat(name, ' ', type)), ', ') FROM system.columns WHERE database = currentDatabase() AND table = 'received'", nil)
	if err != nil {
		return nil, err
	}
	l := &loader{engine: e, progress: progress, structure: structure}
	for _, d := range designs {
		if err := e.run(ctx, "default", "DROP DATABASE IF EXISTS "+d.name+" SYNC"); err != nil {
			return nil, err
		}
		if err := e.run(ctx, "default", "CREATE DATABASE "+d.name); err != nil {
			return nil, err
		}
		if err := e.query1(ctx, d.name, d.create(all)); err != nil {
			return nil, err
		}
		columns := all
		if d.columns != nil {
			columns = d.columns(all)
		}
		var names []string
		for _, c := range columns {
			names = append(names, c.name)
		}
		l.designs = append(l.designs, &loaded{design: d, names: strings.Join(names, ", ")})
	}
	return l, nil
}

func (e engine) query1(ctx context.Context, database, sql string) error {
	_, _, err := e.query(ctx, database, sql, map[string]string{"allow_suspicious_low_cardinality_types": "1", "allow_suspicious_codecs": "1"})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, sql)
	}
	return nil
}
