//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
)

// design is a physical design of flows_raw.
type design struct {
	name   string
	about  string // one line for the list
	engine string // and what belongs to it: partitions, order, settings; NetMeta's if empty
	alter  []string
	plain  bool // the original's columns, without codecs
	sums   bool // with the sums by minute and hour, filled on insert
}

// originalColumns are those of the original's flows_raw. TimeReceived, which it had as a
// UInt64 of seconds, is a DateTime here, so that the same queries can be asked: that saves
// the original 4 bytes a row before compression.
const originalColumns = `FlowType SequenceNum TimeReceived SamplingRate FlowDirection SamplerAddress
	TimeFlowStart TimeFlowEnd Bytes Packets SrcAddr DstAddr EType Proto SrcPort DstPort InIf OutIf SrcMac DstMac
	SrcVlan DstVlan VlanId IngressVrfId EgressVrfId IPTos ForwardingStatus IPTTL TCPFlags IcmpType IcmpCode
	IPv6FlowLabel FragmentId FragmentOffset BiFlowDirection SrcAS DstAS NextHop NextHopAS SrcNet DstNet`

// createTable creates the table of a design, and the view flows, in a database with its
// name.
func (s *stage) createTable(ctx context.Context, d design) (*table, error) {
	sql := "CREATE TABLE flows_raw AS " + staging + ".flows_raw " + d.engine
	columns := ""
	if d.plain {
		columns = "'" + strings.Join(strings.Fields(originalColumns), "', '") + "'"
		definitions, err := s.text(ctx, staging, `SELECT arrayStringConcat(groupArray(concat(name, ' ', type)), ', ') FROM
			(SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND name IN (`+columns+`) ORDER BY position) FORMAT TabSeparatedRaw`)
		if err != nil {
			return nil, err
		}
		sql = "CREATE TABLE flows_raw (" + definitions + ") " + d.engine
	}
	statements := []string{"CREATE DATABASE " + d.name}
	if d.engine == "" {
		// The data set is older than flows are kept.
		d.alter = append([]string{"REMOVE TTL"}, d.alter...)
	}
	// Merges are made when they are measured, and not before.
	d.alter = append(d.alter, "MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1")
	statements = append(statements, sql)
	for _, alter := range d.alter {
		statements = append(statements, "ALTER TABLE flows_raw "+alter)
	}
	for _, statement := range statements {
		database := d.name
		if strings.HasPrefix(statement, "CREATE DATABASE") {
			database = staging
		}
		if err := s.run(ctx, database, statement); err != nil {
			return nil, fmt.Errorf("create the table of design %s: %w", d.name, err)
		}
	}
	if err := s.createView(ctx, d); err != nil {
		return nil, fmt.Errorf("create the view of design %s: %w", d.name, err)
	}
	if d.sums {
		if err := s.createRollups(ctx, d.name); err != nil {
			return nil, fmt.Errorf("create the rollups of design %s: %w", d.name, err)
		}
	}
	names, err := s.text(ctx, d.name, "SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND default_kind = ''")
	return &table{design: d, columns: names}, err
}

// createRollups creates the tables of sums in a database, and the views that fill them,
// as NetMeta's schema has them.
func (s *stage) createRollups(ctx context.Context, database string) error {
	for _, table := range []string{"flows_1m", "flows_1h"} {
		selected, err := s.text(ctx, staging, "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = '"+table+"_view' FORMAT TabSeparatedRaw")
		if err != nil {
			return err
		}
		for _, sql := range []string{
			"CREATE TABLE " + table + " AS " + staging + "." + table,
			"ALTER TABLE " + table + " REMOVE TTL", // the data set is older than sums are kept
			"CREATE MATERIALIZED VIEW " + table + "_view TO " + table + " AS " + strings.ReplaceAll(selected, staging+".", ""),
		} {
			if err := s.run(ctx, database, sql); err != nil {
				return err
			}
		}
	}
	return nil
}
