package dashboards_test

import (
	"fmt"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
)

func init() {
	checks["netmeta-home"] = map[int]check{
		1: func(v view) {
			newest := int64(0)
			for _, f := range testFlows {
				newest = max(newest, f.at)
			}
			age := v.seconds("SELECT toUnixTimestamp(now())") - float64(newest)
			if got := v.results["A"].rows[0][0].(float64); got > age || got < age-600 {
				v.Errorf("%v seconds, want %v", got, age)
			}
		},
		2: func(v view) { v.number(3) },
		3: func(v view) { v.number(0) },
		4: func(v view) { v.number(0) },
		5: keptFor,
		6: diskUsed,
		10: func(v view) {
			v.series("A", "bps", total(v.inBuckets, flow.direction, bits), "direction")
		},
		20: func(v view) {
			recent := between(v.inRange, testTo.Unix()-300, testTo.Unix())
			packets := total(recent, func(f flow) string { return f.dest }, flow.allPackets)
			want := map[string]float64{}
			for dest, n := range firstOf(packets, 10) {
				want[dest] = n / 300
			}
			equal(v.T, "packets", v.results["A"].sums(v.T, "Packets per second", "Destination"), want)
			sources := map[string]map[string]bool{}
			for _, f := range recent {
				if sources[f.dest] == nil {
					sources[f.dest] = map[string]bool{}
				}
				sources[f.dest][f.source] = true
			}
			for dest, n := range v.results["A"].sums(v.T, "Sources", "Destination") {
				if int(n) != len(sources[dest]) {
					v.Errorf("%s has %v sources, want %d", dest, n, len(sources[dest]))
				}
			}
		},
		21: func(v view) {
			equal(v.T, "protocols", v.results["A"].sums(v.T, "traffic", "protocol"), total(v.inRange, protocol, flow.allBytes))
		},
	}
}

func TestHomeSaysWhatIsNotWell(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	quiet := testFlows[0]
	quiet.exporter, quiet.at = "192.0.2.99", testFrom.Unix()+1
	insert(t, write, append([]flow{quiet}, testFlows...))
	_, err := write.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO flows_errors (TimeReceived, Topic, Reason) VALUES (%d, 'flow-messages', 'test')", testFrom.Unix()+2))
	must(t, err)
	for _, d := range loaded(t) {
		if d.UID == "netmeta-home" {
			for id, want := range map[int]float64{2: 3, 3: 1, 4: 1} {
				panel, _ := d.Panel(id)
				show(t, read, d, panel, nil, func(flow) bool { return true }).number(want)
			}
		}
	}
}

func TestHomeOfAnEmptyDatabaseHasNoErrors(t *testing.T) {
	_, read := clickhousetest.Migrated(t)
	for _, d := range loaded(t) {
		for _, panel := range d.AllPanels() {
			show(t, read, d, panel, nil, func(flow) bool { return false })
		}
	}
}
