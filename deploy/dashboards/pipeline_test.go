package dashboards_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// pipelineRow is a row of pipeline_counters.
type pipelineRow struct {
	at, started     int64
	instance        string
	metric          string
	labels          map[string]string
	value, increase float64
	delay           int64 // until it was stored
}

// growing are counters of both collectors by how much they grow in ten seconds.
var growing = []struct {
	metric, labels string
	by             float64
}{
	{"netmeta_listen_datagrams_total", "listener=netflow", 500},
	{"netmeta_listen_kernel_drops_total", "listener=netflow", 3},
	{"netmeta_listen_handling_seconds_total", "listener=netflow", 4},
	{"netmeta_collect_refused_datagrams_total", "listener=netflow", 2},
	{"netmeta_exporter_datagrams_total", "exporter=192.0.2.1 protocol=netflow9", 400},
	{"netmeta_exporter_records_total", "exporter=192.0.2.1 protocol=netflow9", 8000},
	{"netmeta_exporter_lost_total", "exporter=192.0.2.1 protocol=netflow9 unit=datagrams", 100},
	{"netmeta_exporter_late_total", "exporter=192.0.2.1 protocol=netflow9 unit=datagrams", 20},
	{"netmeta_exporter_template_misses_total", "exporter=192.0.2.1 protocol=netflow9", 7},
	{"netmeta_exporter_duplicate_datagrams_total", "exporter=192.0.2.1 protocol=netflow9", 1},
	{"netmeta_exporter_datagrams_total", "exporter=192.0.2.2 protocol=ipfix", 90},
	{"netmeta_exporter_records_total", "exporter=192.0.2.2 protocol=ipfix", 900},
	{"netmeta_exporter_lost_total", "exporter=192.0.2.2 protocol=ipfix unit=records", 100},
	{"netmeta_exporter_unknown_rate_records_total", "exporter=192.0.2.2 protocol=ipfix", 450},
	{"netmeta_decode_errors_total", "protocol=netflow9 reason=truncated", 5},
	{"netmeta_exporter_held_sets_total", "outcome=released", 40},
	{"netmeta_exporter_held_sets_total", "outcome=expired", 6},
	{"netmeta_queue_flows_acknowledged_total", "topic=flow-messages", 8800},
	{"netmeta_queue_flows_acknowledged_total", "topic=pipeline-counters", 60},
	{"netmeta_queue_flows_dropped_total", "topic=flow-messages reason=buffer_full", 200},
	{"netmeta_queue_retries_total", "topic=flow-messages reason=connection", 1},
}

// gauges show the same all the time.
var gauges = []struct {
	metric, labels string
	value          float64
}{
	{"netmeta_queue_ready", "topic=flow-messages", 1},
	{"netmeta_queue_ready", "topic=pipeline-counters", 0},
	{"netmeta_queue_buffered_bytes", "topic=flow-messages", 4096},
	{"netmeta_queue_spool_bytes", "topic=flow-messages", 1 << 20},
	{"netmeta_exporter_sampling_rate", "exporter=192.0.2.1", 1000},
}

func labels(text string) map[string]string {
	m := map[string]string{}
	for label := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(label, "=")
		m[name] = value
	}
	return m
}

var collectors = []string{"a.example", "b.example"}

// testPipeline is what two collectors say of themselves over more than the time range.
var testPipeline = func() (rows []pipelineRow) {
	for at := testFrom.Unix() - 200; at <= testTo.Unix()+200; at += 10 {
		n := float64(at-testFrom.Unix())/10 + 21
		for i, instance := range collectors {
			row := pipelineRow{at: at, started: testFrom.Unix() - 210, instance: instance, delay: 2 + int64(i)}
			for _, c := range growing {
				row.metric, row.labels, row.value, row.increase = c.metric, labels(c.labels), c.by*n, c.by
				rows = append(rows, row)
			}
			row.increase = 0
			for _, g := range gauges {
				row.metric, row.labels, row.value = g.metric, labels(g.labels), g.value
				rows = append(rows, row)
			}
			row.metric = "netmeta_exporter_last_seen_timestamp_seconds"
			row.labels, row.value = labels("exporter=192.0.2.1"), float64(at-1)
			rows = append(rows, row)
			if at < testFrom.Unix()+60 { // silent from then on
				row.labels, row.value = labels("exporter=192.0.2.2"), float64(at-2)
				rows = append(rows, row)
			}
		}
	}
	return rows
}()

// insertPipeline stores each row twice, as Kafka may.
func insertPipeline(t *testing.T, db *sql.DB, rows []pipelineRow) {
	t.Helper()
	var values strings.Builder
	for _, r := range slices.Concat(rows, rows) {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(r.labels)) {
			pairs = append(pairs, fmt.Sprintf("'%s', '%s'", name, r.labels[name]))
		}
		fmt.Fprintf(&values, "(%d, '%s', %d, '%s', map(%s), %g, %g, %d),\n", r.at, r.instance, r.started, r.metric, strings.Join(pairs, ", "), r.value, r.increase, r.at+r.delay)
	}
	_, err := db.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO as_loads (Time, Table, Outcome, Rows, Built, Message) VALUES
		(now64(3) - 200, 'as_prefixes', 'loaded', 1200000, %[1]d, 'rib.gz'), (now64(3) - 100, 'as_prefixes', 'failed', 1300000, %[1]d + 50, 'disk full'),
		(now64(3) - 100, 'as_names', 'loaded', 90000, %[1]d, 'names.txt')`, testFrom.Unix()))
	must(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO pipeline_counters (Time, Instance, Started, Metric, Labels, Value, Increase, Stored) VALUES "+values.String())
	must(t, err)
}

// meaning is the stage, outcome, reason and unit of what a counter counts, and -1 where it
// takes back what another has counted.
func (r pipelineRow) meaning() (stage, outcome, reason, unit string, sign float64) {
	switch r.metric {
	case "netmeta_listen_datagrams_total":
		return "kernel", "passed", "", "datagrams", 1
	case "netmeta_listen_kernel_drops_total":
		return "kernel", "lost", "socket buffer full", "datagrams", 1
	case "netmeta_collect_refused_datagrams_total":
		return "allow-list", "lost", "not in --allow", "datagrams", 1
	case "netmeta_exporter_datagrams_total":
		return "allow-list", "passed", "", "datagrams", 1
	case "netmeta_exporter_records_total":
		return "decoder", "passed", "", "flows", 1
	case "netmeta_exporter_lost_total":
		return "network", "lost", "missing in sequence numbers", r.labels["unit"], 1
	case "netmeta_exporter_late_total":
		return "network", "lost", "came late", r.labels["unit"], -1
	case "netmeta_decode_errors_total":
		return "decoder", "lost", r.labels["reason"], "records", 1
	case "netmeta_exporter_held_sets_total":
		if r.labels["outcome"] == "expired" {
			return "decoder", "lost", "template expired", "sets", 1
		}
	case "netmeta_queue_flows_acknowledged_total":
		if r.labels["topic"] == "flow-messages" {
			return "queue", "passed", "", "flows", 1
		}
	case "netmeta_queue_flows_dropped_total":
		return "queue", "lost", r.labels["reason"], "flows", 1
	}
	return "", "", "", "", 0
}

// amounts adds up what was passed on and lost from one time to another, by a key of which
// empty ones are left out.
func amounts(from, to int64, key func(stage, outcome, reason, unit string) string) map[string]float64 {
	sums := map[string]float64{}
	for _, r := range testPipeline {
		stage, outcome, reason, unit, sign := r.meaning()
		if r.at < from || r.at >= to || stage == "" {
			continue
		}
		if k := key(stage, outcome, reason, unit); k != "" {
			sums[k] += sign * r.increase
		}
	}
	return sums
}

func amount(from, to int64, when func(stage, outcome string) bool) float64 {
	return amounts(from, to, func(stage, outcome, _, _ string) string {
		if when(stage, outcome) {
			return "x"
		}
		return ""
	})["x"]
}

// grown is how much a counter grew in the time range, by a label.
func grown(from, to int64, metric, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, r := range testPipeline {
		if r.metric == metric && r.at >= from && r.at < to {
			sums[r.labels[label]] += r.increase
		}
	}
	return sums
}

func exporterRates(metric string) check {
	return func(v view) { v.series("A", "rate", grown(v.from, v.to, metric, "exporter"), "exporter") }
}

func exporterColumns(v view) {
	from, to := testFrom.Unix(), testTo.Unix()
	r := v.results["A"]
	for column, metric := range map[string]string{
		"Datagrams": "netmeta_exporter_datagrams_total", "Flows": "netmeta_exporter_records_total", "Duplicates": "netmeta_exporter_duplicate_datagrams_total",
		"Unknown template": "netmeta_exporter_template_misses_total", "Unknown rate": "netmeta_exporter_unknown_rate_records_total",
	} {
		equal(v.T, column, r.sums(v.T, column, "Exporter"), grown(from, to, metric, "exporter"))
	}
	lost, late := grown(from, to, "netmeta_exporter_lost_total", "exporter"), grown(from, to, "netmeta_exporter_late_total", "exporter")
	for exporter := range lost {
		lost[exporter] -= late[exporter]
	}
	equal(v.T, "Lost", r.sums(v.T, "Lost", "Exporter"), lost)
	// 100 - 20 of 400 + 80 datagrams, 100 of 900 + 100 records.
	equal(v.T, "Share", r.sums(v.T, "Share", "Exporter"), map[string]float64{"192.0.2.1": 80.0 / 480, "192.0.2.2": 0.1})
	equal(v.T, "Sampling rate", r.sums(v.T, "Sampling rate", "Exporter"), map[string]float64{"192.0.2.1": 1000})
	last := map[string]float64{}
	for _, row := range testPipeline {
		if row.metric == "netmeta_exporter_last_seen_timestamp_seconds" && row.at >= from && row.at < to {
			last[row.labels["exporter"]] = max(last[row.labels["exporter"]], row.value*1000)
		}
	}
	equal(v.T, "Last seen", r.sums(v.T, "Last seen", "Exporter"), last)
}

func init() {
	from, to := testFrom.Unix(), testTo.Unix()
	checks["netmeta-pipeline"] = map[int]check{
		10: func(v view) {
			v.number(amount(from, to, func(stage, outcome string) bool { return stage == "decoder" && outcome == "passed" }))
		},
		11: func(v view) { v.number(float64(len(v.inRange))) },
		12: func(v view) {
			v.number(amount(from, to, func(stage, outcome string) bool { return stage == "network" }))
		},
		13: func(v view) {
			v.number(amount(from, to, func(stage, outcome string) bool {
				return outcome == "lost" && (stage == "kernel" || stage == "decoder" || stage == "queue")
			}))
		},
		14: func(v view) { checks["netmeta-home"][1](v) },
		15: func(v view) {
			if got := v.results["A"].rows[0][0].(float64); got <= 0 || got >= 100 || math100(got, v.seconds("SELECT 100 * (1 - filesystemAvailable() / filesystemCapacity())")) > 5 {
				v.Errorf("the disk is used to %v %%", got)
			}
		},
		20: func(v view) {
			equal(v.T, "amounts", v.results["A"].sums(v.T, "Amount", "Stage", "Outcome", "Reason", "Unit"), amounts(from, to, func(stage, outcome, reason, unit string) string {
				return strings.Join([]string{stage, outcome, reason, unit}, " ")
			}))
		},
		21: func(v view) {
			v.series("A", "rate", amounts(v.from, v.to, func(stage, outcome, reason, _ string) string {
				if outcome == "lost" {
					return stage + ": " + reason
				}
				return ""
			}), "loss")
		},
		22: func(v view) {
			v.series("A", "rate", amounts(v.from, v.to, func(stage, outcome, _, unit string) string {
				if outcome == "passed" {
					return stage + " (" + unit + ")"
				}
				return ""
			}), "stage")
		},
		23: func(v view) {
			handed := amount(v.from, v.to, func(stage, outcome string) bool { return stage == "queue" && outcome == "passed" })
			v.series("A", "rate", map[string]float64{"handed to Kafka": handed}, "what")
			v.series("B", "rate", map[string]float64{"stored": float64(len(v.inBuckets))}, "what")
		},
		30: exporterColumns,
		31: exporterRates("netmeta_exporter_lost_total"),
		32: exporterRates("netmeta_exporter_template_misses_total"),
		33: exporterRates("netmeta_exporter_unknown_rate_records_total"),
		40: func(v view) {
			r := v.results["A"]
			equal(v.T, "Ready", r.sums(v.T, "Ready", "Collector", "Topic"), map[string]float64{"a.example flow-messages": 1, "b.example flow-messages": 1})
			equal(v.T, "Taken", r.sums(v.T, "Taken", "Topic"), grown(from, to, "netmeta_queue_flows_acknowledged_total", "topic"))
			equal(v.T, "Dropped", r.sums(v.T, "Dropped", "Topic"), grown(from, to, "netmeta_queue_flows_dropped_total", "topic"))
			equal(v.T, "Retries", r.sums(v.T, "Retries", "Topic"), grown(from, to, "netmeta_queue_retries_total", "topic"))
			if restarts := r.sums(v.T, "Restarts"); restarts[""] != 0 {
				v.Errorf("restarts: %v", restarts)
			}
		},
		41: func(v view) {
			for _, seconds := range v.results["A"].column(v.T, "seconds") {
				if seconds != 3.0 {
					v.Errorf("the delay is %v seconds, want 3", seconds)
				}
			}
			if n := int64(len(v.results["A"].rows)); n != (v.to-v.from)/v.interval {
				v.Errorf("%d rows", n)
			}
		},
		42: func(v view) {
			want := map[string]float64{}
			for _, c := range collectors {
				want[c+" flow-messages in memory"] = 4096 * float64((v.to-v.from)/v.interval)
				want[c+" flow-messages on disk"] = 1 << 20 * float64((v.to-v.from)/v.interval)
			}
			equal(v.T, "bytes", v.results["A"].sums(v.T, "value", "what"), want)
		},
		43: func(v view) {
			busy := grown(v.from, v.to, "netmeta_listen_handling_seconds_total", "listener")["netflow"] / 2
			v.series("A", "busy", map[string]float64{"a.example netflow": busy, "b.example netflow": busy}, "listener")
		},
		50: func(v view) {
			rows := v.results["A"].sums(v.T, "Rows", "Table")
			if rows["flows_raw"] != float64(len(testFlows)) || rows["pipeline_counters"] != float64(2*len(testPipeline)) {
				v.Errorf("rows: %v", rows)
			}
		},
		51: func(v view) {
			if row := v.results["A"].rows[0]; row[0].(float64) < 1 || row[2].(float64) < 1<<20 {
				v.Errorf("queries, merges and memory: %v", row)
			}
		},
		54: func(v view) {
			// The last load has failed: the table of the one before is in use.
			equal(v.T, "rows", v.results["A"].sums(v.T, "Rows", "Table"), map[string]float64{"as_prefixes": 1_200_000, "as_names": 90_000})
			equal(v.T, "failed", v.results["A"].sums(v.T, "Failed in a day", "Table"), map[string]float64{"as_prefixes": 1})
			equal(v.T, "age", v.results["A"].sums(v.T, "Built", "Table", "Of last"), map[string]float64{
				"as_prefixes disk full": float64(testFrom.UnixMilli()), "as_names names.txt": float64(testFrom.UnixMilli()),
			})
		},
		52: func(v view) {
			if n := len(v.results["A"].rows); n != 0 {
				v.Errorf("%d messages could not be read", n)
			}
		},
	}
}

func math100(a, b float64) float64 { return max(a-b, b-a) }

// expand is the first query of a panel for a time range, at the resolution of 90 points.
func expand(t *testing.T, d *dashboard.Dashboard, panel *dashboard.Panel, from, to time.Time) string {
	t.Helper()
	shortest, err := panel.MinInterval()
	must(t, err)
	scope := dashboard.Scope{Dashboard: d, From: from, To: to, Interval: dashboard.Interval(from, to, 90, shortest)}
	statement, err := scope.Expand(panel.Targets[0].RawSQL)
	must(t, err)
	return statement
}

func TestPipelineShowsMessagesThatCouldNotBeRead(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insertPipeline(t, write, testPipeline)
	for i := range 3 {
		_, err := write.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO flows_errors (TimeReceived, Topic, Offset, Length, Reason) VALUES (%d, 'flow-messages', %d, 77, 'no message')", testFrom.Unix()+int64(i), i))
		must(t, err)
	}
	for _, d := range loaded(t) {
		if d.UID != "netmeta-pipeline" {
			continue
		}
		panel, _ := d.Panel(52)
		if r := run(t, read, expand(t, d, panel, testFrom, testTo)); len(r.rows) != 3 || r.column(t, "Reason")[0] != "no message" || r.column(t, "Offset")[0] != 2.0 {
			t.Errorf("%v", r)
		}
		panel, _ = d.Panel(20)
		if got := run(t, read, expand(t, d, panel, testFrom, testTo)).sums(t, "Amount", "Stage", "Reason"); got["ClickHouse not readable"] != 3 {
			t.Errorf("%v", got)
		}
	}
}

// Zoomed in below the ten seconds of collectors, rates stay what they are.
func TestPipelineHasNoShorterBucketsThanCollectorsCount(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insertPipeline(t, write, testPipeline)
	for _, d := range loaded(t) {
		if d.UID != "netmeta-pipeline" {
			continue
		}
		panel, _ := d.Panel(22)
		r := run(t, read, expand(t, d, panel, testFrom, testFrom.Add(time.Minute)))
		rates := map[any]int{}
		for i, stage := range r.column(t, "stage") {
			if stage == "kernel (datagrams)" {
				rates[r.column(t, "rate")[i]]++
			}
		}
		if len(rates) != 1 || rates[100.0] < 6 {
			t.Errorf("rates and how often each is shown: %v, want 100 a second only", rates)
		}
	}
}

// The filters by collector and exporter hold for what they can be asked of, and what somebody
// puts in instead does no harm.
func TestPipelineIsFilteredByCollectorAndExporter(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insertPipeline(t, write, testPipeline)
	whole := grown(testFrom.Unix(), testTo.Unix(), "netmeta_exporter_records_total", "exporter")
	for _, d := range loaded(t) {
		if d.UID != "netmeta-pipeline" {
			continue
		}
		panel, _ := d.Panel(30)
		for _, c := range []struct {
			values dashboard.Values
			want   map[string]float64
		}{
			{dashboard.Values{"collector": {"a.example"}}, map[string]float64{"192.0.2.1": whole["192.0.2.1"] / 2, "192.0.2.2": whole["192.0.2.2"] / 2}},
			{dashboard.Values{"collector": {"a.example", "b.example"}, "exporter": {"192.0.2.2"}}, map[string]float64{"192.0.2.2": whole["192.0.2.2"]}},
		} {
			v := show(t, read, d, panel, c.values, func(flow) bool { return true })
			equal(t, fmt.Sprint(c.values), v.results["A"].sums(t, "Flows", "Exporter"), c.want)
		}
		for _, value := range []string{`'`, `\`, `') OR 1=1 --`, "日本語"} {
			v := show(t, read, d, panel, dashboard.Values{"collector": {value}}, func(flow) bool { return true })
			if n := len(v.results["A"].rows); n != 0 {
				t.Errorf("collector %q has %d exporters", value, n)
			}
		}
	}
}
