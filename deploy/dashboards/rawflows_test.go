package dashboards_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

func init() {
	checks["netmeta-flows"] = map[int]check{1: func(v view) {
		r := v.results["A"]
		if len(r.rows) != min(500, len(v.inRange)) {
			v.Fatalf("%d rows, want 500 of %d", len(r.rows), len(v.inRange))
		}
		newest := slices.Clone(v.inRange)
		slices.SortStableFunc(newest, func(a, b flow) int { return int(b.at - a.at) })
		// Which flows of the last second that is shown are there is not said.
		last := newest[len(r.rows)-1].at
		key := func(f flow) string {
			return strings.Join([]string{
				fmt.Sprint(float64(f.at)), f.exporter, f.direction(), f.source, fmt.Sprint(f.sport), f.dest, fmt.Sprint(f.dport), protocol(f),
				fmt.Sprint(f.in), fmt.Sprint(f.out), fmt.Sprint(f.vlan), fmt.Sprint(f.ttl), fmt.Sprint(f.sourceAS), fmt.Sprint(f.destAS), f.nextHop,
			}, " ")
		}
		got := r.sums(v.T, "Bytes", "Time", "Exporter", "Direction", "Source", "SourcePort", "Destination", "DestinationPort", "Transport",
			"InputInterface", "OutputInterface", "VLAN", "TTL", "SourceASN", "DestinationASN", "NextHop")
		for name := range got {
			if strings.HasPrefix(name, fmt.Sprint(float64(last))) {
				delete(got, name)
			}
		}
		equal(v.T, "bytes", got, total(between(newest, last+1, testTo.Unix()), key, flow.allBytes))
		times := r.column(v.T, "Time")
		if !slices.IsSortedFunc(times, func(a, b any) int { return int(b.(float64) - a.(float64)) }) {
			v.Error("not newest first")
		}
	}}
}

// The list has to have what a new column brings.
func TestListOfFlowsHasEveryColumn(t *testing.T) {
	write, _ := clickhousetest.Migrated(t)
	var statement string
	for _, d := range loaded(t) {
		if d.UID == "netmeta-flows" {
			panel, _ := d.Panel(1)
			var err error
			statement, err = dashboard.Scope{Dashboard: d, From: testFrom, To: testTo}.Expand(panel.Targets[0].RawSQL)
			must(t, err)
		}
	}
	for _, row := range run(t, write, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND default_kind != 'ALIAS'").rows {
		if name := row[0].(string); !strings.Contains(statement, "flow."+name) {
			t.Errorf("%s of flows_raw is not in the list", name)
		}
	}
}
