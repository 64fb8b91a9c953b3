package dashboards_test

import (
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// view is what a check has: the panel's results by refId for a time range, and the flows
// of it that the filters let through.
type view struct {
	*testing.T
	panel     *dashboard.Panel
	interval  int64
	results   map[string]result
	inRange   []flow // from the first second of the range to its last
	inBuckets []flow // of all buckets that are shown
	from, to  int64  // of the buckets
	earlier   []flow // of the same buckets, a time range before
	db        *sql.DB
}

// check compares what a panel shows with what was put in.
type check func(v view)

// choice is what is chosen in the variables of a dashboard, and which flows that lets through.
type choice struct {
	values  dashboard.Values
	through func(flow) bool
	sources bool // of sourceFlows, and not of testFlows
}

// choices are those of dashboards that are about something in particular.
var choices = map[string]choice{}

// checks are those of every panel that has queries, by dashboard and id.
var checks = map[string]map[int]check{}

func TestPanelsShowWhatWasPutIn(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	insertCounters(t, write)
	insertPipeline(t, write, testPipeline)
	insertRequests(t, write)
	insertTraces(t, write)
	checkPanels(t, read, testFlows, false)
}

func TestPanelsOfSourcesShowWhatWasPutIn(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, sourceFlows)
	checkPanels(t, read, sourceFlows, true)
}

// checkPanels checks the panels of dashboards of sources, or of all others.
func checkPanels(t *testing.T, db *sql.DB, flows []flow, sources bool) {
	for _, d := range loaded(t) {
		chosen, ok := choices[d.UID]
		if !ok {
			chosen.through = func(flow) bool { return true }
		}
		if chosen.sources != sources {
			continue
		}
		for _, panel := range d.AllPanels() {
			if len(panel.Targets) == 0 {
				continue
			}
			t.Run(fmt.Sprint(d.UID, "/", panel.ID, " ", panel.Title), func(t *testing.T) {
				check, ok := checks[d.UID][panel.ID]
				if !ok {
					t.Fatal("nothing checks the numbers of this panel: add a check")
				}
				check(showOf(t, flows, db, d, panel, chosen.values, chosen.through))
			})
		}
	}
}

// show executes the queries of a panel with values of variables, and says which of testFlows
// these let through.
func show(t *testing.T, db *sql.DB, d *dashboard.Dashboard, panel *dashboard.Panel, values dashboard.Values, through func(flow) bool) view {
	t.Helper()
	return showOf(t, testFlows, db, d, panel, values, through)
}

func showOf(t *testing.T, all []flow, db *sql.DB, d *dashboard.Dashboard, panel *dashboard.Panel, values dashboard.Values, through func(flow) bool) view {
	t.Helper()
	shortest, err := panel.MinInterval()
	must(t, err)
	interval := dashboard.Interval(testFrom, testTo, 90, shortest)
	scope := dashboard.Scope{Dashboard: d, From: testFrom, To: testTo, Interval: interval, Values: values}
	flows := slices.DeleteFunc(slices.Clone(all), func(f flow) bool { return !through(f) })
	seconds := int64(interval / time.Second)
	v := view{
		T: t, panel: panel, interval: seconds, results: map[string]result{}, db: db,
		inRange: between(flows, testFrom.Unix(), testTo.Unix()),
		from:    testFrom.Unix() / seconds * seconds, to: (testTo.Unix() + seconds - 1) / seconds * seconds,
	}
	v.inBuckets = between(flows, v.from, v.to)
	length := testTo.Unix() - testFrom.Unix()
	v.earlier = between(flows, v.from-length, v.to-length)
	for _, target := range panel.Targets {
		statement, err := scope.Expand(target.RawSQL)
		must(t, err)
		v.results[target.RefID] = run(t, db, statement)
	}
	return v
}

// series checks a time series panel: its times are the buckets, none is missing, and each
// series times the length of a bucket is what was put in.
func (v view) series(refID, value string, want map[string]float64, labels ...string) {
	v.Helper()
	r := v.results[refID]
	if r.columns[0] != "time" {
		v.Fatalf("the first column is %s, not time", r.columns[0])
	}
	if !sort.SliceIsSorted(r.rows, func(i, j int) bool { return r.rows[i][0].(float64) < r.rows[j][0].(float64) }) {
		v.Error("not in the order of time")
	}
	got := r.sums(v.T, value, labels...)
	for key := range got {
		got[key] *= float64(v.interval)
	}
	equal(v.T, "sums of series", got, want)
	buckets := map[string]int64{}
	names := make([]int, len(labels))
	for i, label := range labels {
		names[i] = slices.Index(r.columns, label)
	}
	for _, row := range r.rows {
		at := int64(row[0].(float64))
		if at < v.from || at >= v.to || at%v.interval != 0 {
			v.Fatalf("%s is no bucket from %s to %s", time.Unix(at, 0), time.Unix(v.from, 0), time.Unix(v.to, 0))
		}
		key := ""
		for _, i := range names {
			key += text(row[i]) + " "
		}
		buckets[key]++
	}
	for key, n := range buckets {
		if n != (v.to-v.from)/v.interval {
			v.Errorf("series %q has %d buckets of %d", key, n, (v.to-v.from)/v.interval)
		}
	}
}

// number checks a stat.
func (v view) number(want float64) {
	v.Helper()
	r := v.results["A"]
	if len(r.rows) != 1 || len(r.columns) != 1 || !same(r.rows[0][0].(float64), want) {
		v.Errorf("%v, want %v", r.rows, want)
	}
}

// ranked checks a table of the busiest: traffic by key, and that no busier one is missing.
func (v view) ranked(key func(flow) string, labels ...string) {
	v.Helper()
	traffic := total(v.inRange, key, flow.allBytes)
	r := v.results["A"]
	got := r.sums(v.T, "Traffic", labels...)
	least := math.Inf(1)
	for _, bytes := range firstOf(traffic, len(r.rows)) {
		least = min(least, bytes)
	}
	for name, bytes := range got {
		if !same(bytes, traffic[name]) || bytes < least*(1-1e-9) {
			v.Errorf("%s has %v bytes, want %v, and at least %v to be among the busiest", name, bytes, traffic[name], least)
		}
	}
	if len(got) != len(r.rows) || len(got) == 0 || len(got) < min(20, len(traffic)) {
		v.Errorf("%d rows of %d different keys, where %d are to be ranked", len(r.rows), len(got), len(traffic))
	}
	packets := total(v.inRange, key, flow.allPackets)
	flows := total(v.inRange, key, func(flow) float64 { return 1 })
	for name, got := range r.sums(v.T, "Packets", labels...) {
		if !same(got, packets[name]) {
			v.Errorf("%s has %v packets, want %v", name, got, packets[name])
		}
	}
	for name, got := range r.sums(v.T, "Flows", labels...) {
		if got != flows[name] {
			v.Errorf("%s has %v flows, want %v", name, got, flows[name])
		}
	}
	whole := 0.0
	for _, bytes := range traffic {
		whole += bytes
	}
	for name, share := range r.sums(v.T, "Share", labels...) {
		if !same(share, traffic[name]/whole) {
			v.Errorf("%s has a share of %v, want %v", name, share, traffic[name]/whole)
		}
	}
	numbers := r.column(v.T, "Traffic")
	if !sort.SliceIsSorted(numbers, func(i, j int) bool { return numbers[i].(float64) > numbers[j].(float64) }) {
		v.Error("not in the order of traffic")
	}
}

// firstOf keeps the n largest.
func firstOf(sums map[string]float64, n int) map[string]float64 {
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		switch {
		case sums[a] > sums[b]:
			return -1
		case sums[a] < sums[b]:
			return 1
		}
		return 0
	})
	kept := map[string]float64{}
	for _, key := range keys[:min(n, len(keys))] {
		kept[key] = sums[key]
	}
	return kept
}

// topSeries checks a stack of the busiest and all others.
func (v view) topSeries(n int, value string, key func(flow) string, number func(flow) float64, label string) {
	v.Helper()
	busiest := firstOf(total(v.inBuckets, key, flow.allBytes), n)
	v.series("A", value, total(v.inBuckets, func(f flow) string {
		if _, ok := busiest[key(f)]; ok {
			return key(f)
		}
		return "other"
	}, number), label)
}
