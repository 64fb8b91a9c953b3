//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"github.com/gaissmai/bart"

	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
	"github.com/leoluk/NetMeta/internal/risinfo/mrttest"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// trafficSeed is that of the world in which the flows are.
const trafficSeed = 1

// loadTable has ClickHouse load a routing table: five sixths of it are IPv4. What is looked up
// in it are the AS numbers that exporters would have told, so that the rows that are stored
// are the same with a table and without one.
func (o options) loadTable(ctx context.Context, db *sql.DB, r *report) error {
	if o.prefixes == 0 {
		return nil
	}
	var prefixes, names bytes.Buffer
	if err := generate.WriteTables(generate.Holders(trafficSeed), &prefixes, &names); err != nil {
		return err
	}
	var b route.Builder
	if err := route.ReadTSV(&prefixes, &b); err != nil {
		return err
	}
	var world bart.Table[uint32]
	known := b.Routes()
	for _, k := range known {
		world.Insert(k.Prefix(), k.ASN)
		b.Add(k.Prefix(), []mrt.Origin{{ASN: k.ASN, Peers: 1}})
	}
	for _, e := range mrttest.Table(trafficSeed, o.prefixes-o.prefixes/6, o.prefixes/6) {
		if asn, inside := world.Lookup(e.Prefix.Addr()); inside {
			e.ASN = asn
		}
		b.Add(e.Prefix, []mrt.Origin{{ASN: e.ASN, Peers: 1}})
	}
	routes, _ := route.Merge([][]route.Route{b.Routes()}, 1)
	r.Prefixes = len(routes)
	began := processorTime()
	err := load.New(db).Routes(ctx, routes, time.Now(), "made up")
	r.LoadingTable = (processorTime() - began).Seconds()
	return err
}
