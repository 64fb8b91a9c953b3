package dashboards_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// traceRow is a row of traces.
type traceRow struct {
	at      int64
	kind    string
	dest    string
	stop    string
	reached bool
	rtt     int      // microseconds
	path    []string // "" for a hop that did not answer
	asns    []int
}

const (
	traceNear, traceFar = "198.51.100.10", "2001:db8:2::1"
	traceMonitor        = "ams1"
)

// testTraces are of the last ten minutes of the time range, but its last ten seconds: pings
// and traces to one destination, whose way changes in the middle, and traces to another one
// that is never reached.
var testTraces = func() (rows []traceRow) {
	for i := range 100 {
		r := traceRow{at: testTo.Unix() - 600 + int64(i)*5, kind: "trace", dest: traceNear, stop: "completed", reached: true, rtt: 10_000 + i}
		switch i % 4 {
		case 0, 1:
			r.path, r.asns = []string{"192.0.2.1", "192.0.2.5", traceNear}, []int{64500, 64501, 64520}
			if i >= 50 {
				r.path, r.asns = []string{"192.0.2.1", "192.0.2.6", traceNear}, []int{64500, 64502, 64520}
			}
			if i%8 == 1 && i != 49 { // which is no change
				r.path = []string{"192.0.2.1", "", traceNear}
				r.asns = []int{64500, 0, 64520}
			}
		case 2:
			r.dest, r.stop, r.reached, r.rtt = traceFar, "gaplimit", false, 0
			r.path, r.asns = []string{"192.0.2.1"}, []int{64500}
		case 3:
			r.kind = "ping"
		}
		rows = append(rows, r)
	}
	return rows
}()

func insertTraces(t *testing.T, db *sql.DB) {
	t.Helper()
	var values strings.Builder
	for _, r := range testTraces {
		var ttls, hops, asns []string
		for i, hop := range r.path {
			if hop != "" {
				ttls, hops, asns = append(ttls, fmt.Sprint(i+1)), append(hops, "'"+stored(hop)+"'"), append(asns, fmt.Sprint(r.asns[i]))
			}
		}
		fmt.Fprintf(&values, "(%d, '%s', '%s', '%s', '%s', 'icmp-echo-paris', '%s', %t, %d, [%s], [%s], [%s]),\n", r.at, r.kind, traceMonitor, stored("192.0.2.200"), stored(r.dest),
			r.stop, r.reached, r.rtt, strings.Join(ttls, ","), strings.Join(hops, ","), strings.Join(asns, ","))
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO traces (TimeReceived, Kind, Monitor, SrcAddr, DstAddr, Method, StopReason, Reached, RTT, HopTTL, HopAddress, HopAS) VALUES "+values.String())
	must(t, err)
}

func ofTraces(key func(traceRow) string) map[string]float64 {
	sums := map[string]float64{}
	for _, r := range testTraces {
		sums[key(r)]++
	}
	return sums
}

// row returns the row of a table that has a value in a column.
func (v view) row(column, value string) map[string]any {
	v.Helper()
	r := v.results["A"]
	for i, text := range r.column(v.T, column) {
		if text != value {
			continue
		}
		found := map[string]any{}
		for j, name := range r.columns {
			found[name] = r.rows[i][j]
		}
		return found
	}
	v.Fatalf("no row has %s in %s: %v", value, column, r.rows)
	return nil
}

func (v view) has(row map[string]any, want map[string]any) {
	v.Helper()
	for column, value := range want {
		if row[column] != value {
			v.Errorf("%s is %v, want %v", column, row[column], value)
		}
	}
}

func init() {
	const (
		newest, newestAS = "192.0.2.1 * " + traceNear, "AS64500 AS64520"
		nearNetwork      = "198.51.100.0/24"
		farNetwork       = "2001:db8:2::/48"
	)
	network := func(f flow) string {
		if strings.Contains(f.dest, ":") {
			return farNetwork
		}
		return f.dest[:strings.LastIndex(f.dest, ".")] + ".0/24"
	}
	checks["netmeta-traces"] = map[int]check{
		10: func(v view) { v.number(100) },
		11: func(v view) { v.number(0.75) },
		12: func(v view) { v.number(2) },
		13: func(v view) {
			if m := v.results["A"].rows[0][0].(float64); m < 0.010 || m > 0.0101 {
				v.Errorf("the median is %v s", m)
			}
		},
		14: func(v view) { v.number(1) },
		15: func(v view) { v.number(float64(testTraces[len(testTraces)-1].at * 1000)) },
		20: func(v view) {
			v.series("A", "rate", ofTraces(func(r traceRow) string {
				if r.reached {
					return "reached"
				}
				return r.stop
			}), "outcome")
		},
		21: func(v view) {
			r := v.results["A"]
			if len(r.rows) == 0 {
				v.Fatal("no times")
			}
			for i, p95 := range r.column(v.T, "p95") {
				if median := r.column(v.T, "median")[i].(float64); median < 0.01 || p95.(float64) < median || p95.(float64) > 0.0101 {
					v.Errorf("median %v, p95 %v", median, p95)
				}
			}
		},
		22: func(v view) {
			for _, column := range []string{"mean", "longest"} {
				for _, length := range v.results["A"].column(v.T, column) {
					if length != 3.0 {
						v.Errorf("%s is %v, want 3", column, length)
					}
				}
			}
		},
		30: func(v view) {
			v.has(v.row("Destination", traceNear), map[string]any{"Monitor": traceMonitor, "Measurements": 75.0, "Reached": 1.0, "Hops": 3.0, "AS path": newestAS, "Path": newest})
			v.has(v.row("Destination", traceFar), map[string]any{"Measurements": 25.0, "Reached": 0.0, "Median": nil, "Hops": 1.0, "AS path": "AS64500", "Path": "192.0.2.1"})
		},
		31: func(v view) {
			if n := len(v.results["A"].rows); n != 1 {
				v.Fatalf("%d changes", n)
			}
			v.has(v.row("Destination", traceNear), map[string]any{
				"Path before": "192.0.2.1 192.0.2.5 " + traceNear, "Path": "192.0.2.1 192.0.2.6 " + traceNear,
				"AS path before": "AS64500 AS64501 AS64520", "AS path": "AS64500 AS64502 AS64520",
			})
		},
		40: func(v view) {
			equal(v.T, "traffic", v.results["A"].sums(v.T, "Traffic", "Network"), total(v.inRange, network, flow.allBytes))
			v.has(v.row("Network", nearNetwork), map[string]any{"Outcome": "reached", "Monitor": traceMonitor, "AS path": newestAS, "Path": newest})
			v.has(v.row("Network", farNetwork), map[string]any{"Outcome": "not reached", "AS path": "AS64500", "Path": "192.0.2.1"})
		},
		41: func(v view) {
			traffic := total(v.inRange, network, flow.allBytes)
			equal(v.T, "traffic", v.results["A"].sums(v.T, "Traffic", "AS"), map[string]float64{
				"AS64500 documentation": traffic[nearNetwork] + traffic[farNetwork], "AS64520 private use": traffic[nearNetwork],
			})
		},
	}
}
