package dashboards_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// sides are the directions in which a flow crosses the interface that is looked at.
func sides(f flow) []string {
	var crossed []string
	if f.exporter == countedExporter && f.in == countedInterface {
		crossed = append(crossed, "in")
	}
	if f.exporter == countedExporter && f.out == countedInterface {
		crossed = append(crossed, "out")
	}
	return crossed
}

func crossing(flows []flow, value func(flow) float64) map[string]float64 {
	sums := map[string]float64{}
	for _, f := range flows {
		for _, side := range sides(f) {
			sums[side] += value(f)
		}
	}
	return sums
}

// counters checks a query of counters: each bucket has the growth of the samples in it, by
// the seconds between them.
func (v view) counters(refID, column, label string, value func(counterSample) uint32, scale float64) {
	v.Helper()
	grown, seconds := map[string]float64{}, map[string]float64{}
	for at, growth := range counted(value) {
		if at >= v.from && at < v.to {
			bucket := fmt.Sprint(float64(at / v.interval * v.interval))
			grown[bucket] += growth * scale
			seconds[bucket] += 30
		}
	}
	want := map[string]float64{}
	for bucket := range grown {
		want[bucket+" "+label] = grown[bucket] / seconds[bucket]
	}
	got := v.results[refID].sums(v.T, column, "time", "direction")
	for key := range got {
		if key[len(key)-len(label):] != label || key[len(key)-len(label)-1] != ' ' {
			delete(got, key)
		}
	}
	equal(v.T, column, got, want)
}

func interfaceRates(column string, sampled func(flow) float64, in, out func(counterSample) uint32, scale float64) check {
	return func(v view) {
		v.series("A", column, crossing(v.inBuckets, sampled), "direction")
		v.counters("B", column, "in counted", in, scale)
		v.counters("B", column, "out counted", out, scale)
	}
}

// mean checks a rate over the whole time range.
func mean(side string) check {
	return func(v view) { v.number(crossing(v.inRange, bits)[side] / float64(v.rangeSeconds())) }
}

func (v view) rangeSeconds() int64 { return testTo.Unix() - testFrom.Unix() }

// percentile checks the 95th percentile of whole five minutes, empty ones as well.
func percentile(side string) check {
	return func(v view) {
		const five = 300
		from, to := (testFrom.Unix()+five-1)/five*five, testTo.Unix()/five*five
		var means []float64
		for start := from; start < to; start += five {
			means = append(means, crossing(between(v.inRange, start, start+five), bits)[side]/five)
		}
		slices.Sort(means)
		// Of five means, the 95th percentile is the highest.
		if len(means) != 5 {
			v.Fatalf("%d whole five minutes", len(means))
		}
		v.number(means[len(means)-1])
	}
}

func bytesIn(c counterSample) uint32  { return uint32(c.in) }
func bytesOut(c counterSample) uint32 { return uint32(c.out) }

func init() {
	choices["netmeta-interface"] = choice{values: dashboard.Values{"interface": {countedKey}}, through: func(f flow) bool { return len(sides(f)) > 0 }}
	port := func(f flow) string {
		if f.proto == 1 {
			return "ICMP"
		}
		return fmt.Sprint(protocol(f), "/", f.dport)
	}
	checks["netmeta-interface"] = map[int]check{
		10: mean("in"), 11: mean("out"),
		12: percentile("in"), 13: percentile("out"),
		14: func(v view) { v.number(countedSpeed) },
		20: interfaceRates("bps", bits, bytesIn, bytesOut, 8),
		21: interfaceRates("pps", flow.allPackets, func(c counterSample) uint32 { return c.inPackets }, func(c counterSample) uint32 { return c.outPackets }, 1),
		30: func(v view) {
			r := v.results["A"]
			highest := 0.0
			for at, bytes := range counted(bytesIn) {
				if at >= v.from && at < v.to {
					highest = max(highest, bytes*8/30/countedSpeed)
				}
			}
			got := 0.0
			for i, share := range r.column(v.T, "share") {
				if r.column(v.T, "direction")[i] == "in" {
					got = max(got, share.(float64))
				}
			}
			if !same(got, highest) {
				v.Errorf("the highest utilization is %v, want %v", got, highest)
			}
		},
		31: func(v view) {
			v.counters("A", "discards", "in", func(c counterSample) uint32 { return c.inDiscards }, 1)
			v.counters("A", "errors", "out", func(c counterSample) uint32 { return c.outErrors }, 1)
		},
		40: func(v view) { v.topSeries(10, "bps", protocol, bits, "protocol") },
		41: func(v view) { v.topSeries(10, "bps", port, bits, "service") },
		42: func(v view) { v.ranked(func(f flow) string { return f.source }, "Source") },
		43: func(v view) { v.ranked(func(f flow) string { return f.dest }, "Destination") },
		44: func(v view) { v.ranked(func(f flow) string { return fmt.Sprint(f.sourceAS) }, "ASN") },
		45: func(v view) { v.ranked(func(f flow) string { return fmt.Sprint(f.destAS) }, "ASN") },
		46: func(v view) {
			v.ranked(func(f flow) string { return fmt.Sprintf("%s/%d %s/%d", f.exporter, f.in, f.exporter, f.out) }, "From", "To")
		},
		50: accuracy,
	}
}

// accuracy checks the comparison of samples and counters.
func accuracy(v view) {
	first, last := testCounters[0].at, testCounters[0].at
	for _, c := range testCounters {
		if c.at >= testFrom.Unix() && c.at < testTo.Unix() {
			if first < testFrom.Unix() {
				first = c.at
			}
			last = c.at
		}
	}
	sampled := crossing(only(between(v.inRange, first+1, last+1), func(f flow) bool { return !f.egress }), flow.allBytes)
	countedBytes := map[string]float64{}
	for at, bytes := range counted(bytesIn) {
		if at > testFrom.Unix() && at <= testTo.Unix() {
			countedBytes["in"] += bytes
		}
	}
	for at, bytes := range counted(bytesOut) {
		if at > testFrom.Unix() && at <= testTo.Unix() {
			countedBytes["out"] += bytes
		}
	}
	r := v.results["A"]
	equal(v.T, "counted", r.sums(v.T, "Counted", "Direction"), countedBytes)
	equal(v.T, "sampled", r.sums(v.T, "Sampled", "Direction"), sampled)
	equal(v.T, "deviation", r.sums(v.T, "Deviation", "Direction"), map[string]float64{
		"in": sampled["in"]/countedBytes["in"] - 1, "out": sampled["out"]/countedBytes["out"] - 1,
	})
	if names := r.column(v.T, "Name"); len(names) != 2 || names[0] != "eth3" {
		v.Errorf("names %v", names)
	}
}

func TestInterfaceWithoutCountersHasSamplesOnly(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	for _, d := range loaded(t) {
		if d.UID != "netmeta-interface" {
			continue
		}
		panel, _ := d.Panel(20)
		v := show(t, read, d, panel, choices[d.UID].values, choices[d.UID].through)
		v.series("A", "bps", crossing(v.inBuckets, bits), "direction")
		if rows := v.results["B"].rows; len(rows) != 0 {
			t.Errorf("%d rows of counters", len(rows))
		}
		return
	}
	t.Fatal("there is no such dashboard")
}
