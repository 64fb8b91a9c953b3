//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// asker knows what can be asked of a data set.
type asker struct {
	engine
	database string // of any design: all hold the same
	values   []string
}

// fillIn returns what replaces the words in braces of a query.
func (e engine) fillIn(ctx context.Context, database string, t traffic) (*strings.Replacer, error) {
	a := &asker{engine: e, database: database}
	at := func(name string, t time.Time) { a.set(name, fmt.Sprintf("toDateTime(%d, 'UTC')", t.Unix())) }
	at("end", t.end())
	at("evening", t.end().Add(-3*time.Hour))
	a.set("port", "3478")
	// Neither the first nor the last of their kind.
	for _, find := range []struct{ name, sql string }{
		{"exporter", "SELECT SamplerAddress FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 5"},
		{"interface", "SELECT InIf FROM flows_raw WHERE SamplerAddress = {exporter} GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 4"},
		{"busySource", "SELECT SrcAddr FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1"},
		{"busyDestination", "SELECT DstAddr FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1"},
		{"source", "SELECT SrcAddr FROM flows_raw GROUP BY 1 ORDER BY count() BETWEEN 10 AND 100 DESC, sipHash64(SrcAddr) LIMIT 1"},
		{"destination", "SELECT DstAddr FROM flows_raw GROUP BY 1 ORDER BY count() BETWEEN 10 AND 100 DESC, sipHash64(DstAddr) LIMIT 1"},
		{"asn", "SELECT SrcAS FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 20"},
		{"netFirst", "SELECT IPv6CIDRToRange(SrcAddr, 120).1 FROM flows_raw WHERE EType = 0x0800 GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 20"},
		{"netLast", "SELECT IPv6CIDRToRange({netFirst}, 120).2"},
	} {
		if err := a.find(ctx, find.name, find.sql); err != nil {
			return nil, fmt.Errorf("find %s to ask for: %w", find.name, err)
		}
	}
	return a.replacer(), nil
}

func (a *asker) set(name, value string) { a.values = append(a.values, "{"+name+"}", value) }

func (a *asker) replacer() *strings.Replacer { return strings.NewReplacer(a.values...) }

func (a *asker) find(ctx context.Context, name, sql string) error {
	value, err := a.text(ctx, a.database, a.replacer().Replace(sql))
	if err != nil {
		return err
	}
	if strings.Contains(value, ":") {
		value = "toIPv6('" + value + "')"
	}
	a.set(name, value)
	return nil
}
