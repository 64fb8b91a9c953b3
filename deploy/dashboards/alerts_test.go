package dashboards_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/deploy/dashboards/evaluate"
	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// rule is an alert rule as Grafana reads it.
type rule struct {
	UID, Title, Condition, For, NoDataState string
	Data                                    []struct {
		RefID             string
		DatasourceUID     string
		RelativeTimeRange struct{ From, To int64 }
		Model             struct {
			RawSQL, Type, Expression string
			Conditions               []struct {
				Evaluator struct {
					Type   string
					Params []float64
				}
			}
		}
	}
	Annotations, Labels map[string]string
}

func rules(t *testing.T) map[string]rule {
	t.Helper()
	text, err := fs.ReadFile(dashboards.Files(), "alerts.json")
	must(t, err)
	return rulesOf(t, text)
}

func rulesOf(t *testing.T, text []byte) map[string]rule {
	t.Helper()
	var file struct {
		APIVersion int
		Groups     []struct{ Rules []rule }
	}
	must(t, json.Unmarshal(text, &file))
	if file.APIVersion != 1 {
		t.Errorf("apiVersion %d", file.APIVersion)
	}
	all := map[string]rule{}
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			all[strings.TrimPrefix(r.UID, "netmeta-alert-")] = r
		}
	}
	return all
}

// evaluate returns the numbers of a rule at a time by their labels.
func (r rule) evaluate(t *testing.T, run func(string) result, at time.Time) map[string]float64 {
	t.Helper()
	span := r.Data[0].RelativeTimeRange
	scope := dashboard.Scope{
		Dashboard: &dashboard.Dashboard{}, Interval: time.Second,
		From: at.Add(-time.Duration(span.From) * time.Second), To: at.Add(-time.Duration(span.To) * time.Second),
	}
	statement, err := scope.Expand(r.Data[0].Model.RawSQL)
	must(t, err)
	got := run(statement)
	if len(got.rows) == 0 {
		return nil
	}
	return got.sums(t, got.columns[len(got.columns)-1], got.columns[:len(got.columns)-1]...)
}

func (r rule) threshold() float64 { return r.Data[2].Model.Conditions[0].Evaluator.Params[0] }

func TestAlertsFindWhatIsWrong(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	insertPipeline(t, write, testPipeline)
	insertCounters(t, write)
	_, err := write.ExecContext(t.Context(), "INSERT INTO flows_errors (TimeReceived, Topic, Reason) SELECT "+text(testTo.Unix()-5)+", 'flow-messages', 'test' FROM numbers(4)")
	must(t, err)
	// as_prefixes and places were loaded and are empty, as_names was given up.
	_, err = write.ExecContext(t.Context(), "TRUNCATE TABLE as_loads")
	must(t, err)
	_, err = write.ExecContext(t.Context(), strings.ReplaceAll(`INSERT INTO as_loads (Time, Table, Outcome, Rows, Built, Message) VALUES
		({to} - 86400, 'as_prefixes', 'loaded', 5, {to} - 5 * 86400, ''), ({to} - 3600, 'as_prefixes', 'loaded', 5, {to} - 4 * 86400, ''), ({to} - 60, 'as_prefixes', 'failed', 0, 0, 'away'),
		({to} - 7200, 'as_names', 'failed', 0, 0, 'away'), ({to} - 3600, 'as_names', 'loaded', 0, {to} - 3600, ''),
		({to} - 3600, 'places', 'loaded', 3, {to} - 70 * 86400, '')`, "{to}", text(testTo.Unix())))
	must(t, err)
	newest := int64(0)
	for _, f := range testFlows {
		newest = max(newest, f.at)
	}
	lastCounters := testPipeline[len(testPipeline)-1].at
	lastHandedBefore := func(at int64) float64 { return float64((at-1-testFrom.Unix())/10*10 + testFrom.Unix()) }
	minute := between(testFlows, testTo.Unix()-70, testTo.Unix()-10)
	dest := func(f flow) string { return f.dest }
	perSecond := func(number func(flow) float64) map[string]float64 {
		rates := total(minute, dest, number)
		for host := range rates {
			rates[host] /= 60
		}
		return firstOf(rates, 20)
	}
	gone := testTo.Add(10 * time.Minute)
	at := map[string]time.Time{"collector-silent": gone, "kafka-lag": testTo.Add(100 * time.Second)}
	want := map[string]map[string]float64{
		"collector-silent": {"a.example": float64(gone.Unix() - lastCounters), "b.example": float64(gone.Unix() - lastCounters)},
		// Seen at 2 s before its last row, 50 s into the time range.
		"exporter-silent":     {"192.0.2.1": 1, "192.0.2.2": lastHandedBefore(testTo.Unix()) - float64(testFrom.Unix()+48)},
		"loss-network":        {"192.0.2.1": 100 * 80.0 / 480, "192.0.2.2": 10},
		"messages-unreadable": {"flow-messages": 4},
		"sampling-unknown":    {"192.0.2.1": 0, "192.0.2.2": 50},
		"kafka-away":          {"a.example flow-messages": 0, "b.example flow-messages": 0, "a.example pipeline-counters": 1, "b.example pipeline-counters": 1},
		"kafka-lag":           {"": lastHandedBefore(at["kafka-lag"].Unix()) - float64(newest)},
		"tables-old":          {"as_prefixes": 4},
		"geoip-old":           {"places": 70},
		"tables-missing":      {"as_prefixes": 1, "as_names": 0, "places": 1},
		"host-packets":        perSecond(flow.allPackets),
		"host-bits":           perSecond(bits),
		"host-sources":        newSourcesByHost(testTo.Unix()),
		"interface-full":      interfaceShares(testTo.Unix()),
	}
	loss := map[string]float64{}
	for _, c := range collectors {
		loss[c+" kernel socket buffer full"] = 100 * 3.0 / 503
		loss[c+" decoder truncated"] = 100 * 5.0 / 8905
		loss[c+" decoder template expired"] = 100 * 6.0 / 8906
		loss[c+" queue buffer_full"] = 100 * 200.0 / 9000
	}
	want["loss-collector"] = loss

	for name, r := range rules(t) {
		t.Run(name, func(t *testing.T) {
			when, ok := at[name]
			if !ok {
				when = testTo
			}
			got := r.evaluate(t, func(statement string) result { return run(t, read, statement) }, when)
			if name == "disk-filling" {
				if got[""] <= 0 || got[""] >= 100 {
					t.Errorf("the disk is full to %v %%", got[""])
				}
				return
			}
			if want[name] == nil {
				t.Fatal("nothing checks the numbers of this alert")
			}
			equal(t, name, got, want[name])
		})
	}
}

// newSourcesByHost are the sources per second of the last full minute that had not sent to
// a host in the ten minutes before.
func newSourcesByHost(at int64) map[string]float64 {
	from, to := at-670, at-10
	first := map[[2]string]int64{}
	for _, f := range between(testFlows, from, to) {
		pair := [2]string{f.dest, f.source}
		if seen, ok := first[pair]; !ok || f.at < seen {
			first[pair] = f.at
		}
	}
	rates := map[string]float64{}
	for pair, seen := range first {
		if seen >= to-60 {
			rates[pair[0]] += 1.0 / 60
		}
	}
	return rates
}

// interfaceShares are those of the one interface that has counters.
func interfaceShares(at int64) map[string]float64 {
	var there []counterSample
	for _, c := range testCounters {
		if c.at >= at-300 && c.at < at {
			there = append(there, c)
		}
	}
	first, last := there[0], there[len(there)-1]
	seconds := float64(last.uptimeMillisecond-first.uptimeMillisecond) / 1000
	return map[string]float64{
		"192.0.2.1 3 eth3 in":  float64(last.in-first.in) * 8 / seconds / countedSpeed * 100,
		"192.0.2.1 3 eth3 out": float64(last.out-first.out) * 8 / seconds / countedSpeed * 100,
	}
}

func TestAlertsOfAnEmptyDatabaseFindNothing(t *testing.T) {
	_, read := clickhousetest.Migrated(t)
	for name, r := range rules(t) {
		if name == "disk-filling" {
			continue
		}
		for labels, value := range r.evaluate(t, func(statement string) result { return run(t, read, statement) }, testTo) {
			if value > r.threshold() {
				t.Errorf("%s: %s is %v", name, labels, value)
			}
		}
	}
}

var labelInText = regexp.MustCompile(`\{\{ \$labels\.(\w+) \}\}`)

// A rule names its query's columns, panels that exist, and what to do.
func TestAlertsAreComplete(t *testing.T) {
	_, read := clickhousetest.Migrated(t)
	panels := map[string]map[string]bool{}
	for _, d := range loaded(t) {
		panels[d.UID] = map[string]bool{}
		for _, panel := range d.AllPanels() {
			panels[d.UID][text(panel.ID)] = true
		}
	}
	all := rules(t)
	if len(all) < 10 {
		t.Errorf("%d rules: %v", len(all), slices.Sorted(maps.Keys(all)))
	}
	for name, r := range all {
		if r.Condition != "C" || len(r.Data) != 3 || r.Data[2].Model.Type != "threshold" || r.Data[1].Model.Type != "reduce" || r.NoDataState != "OK" {
			t.Errorf("%s is not a query, a reduction and a threshold", name)
		}
		if !panels[r.Annotations["__dashboardUid__"]][r.Annotations["__panelId__"]] {
			t.Errorf("%s leads to panel %s of %s, which does not exist", name, r.Annotations["__panelId__"], r.Annotations["__dashboardUid__"])
		}
		if len(r.UID) > 40 || r.Labels["severity"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s is not complete: %v %v", r.UID, r.Labels, r.Annotations)
		}
		var columns []string
		r.evaluate(t, func(statement string) result {
			for _, name := range run(t, read, "DESCRIBE ("+statement+")").column(t, "name") {
				columns = append(columns, text(name))
			}
			return result{}
		}, testTo)
		for _, annotation := range r.Annotations {
			for _, match := range labelInText.FindAllStringSubmatch(annotation, -1) {
				if !slices.Contains(columns[:len(columns)-1], match[1]) {
					t.Errorf("%s speaks of %s, which is none of its columns %v", name, match[1], columns)
				}
			}
		}
	}
}

func TestThresholdsOfAlertsAreConfigured(t *testing.T) {
	want := evaluate.Alerts{
		ExporterSilentSeconds: 31, LossPercent: 0.32, UnknownRatePercent: 3.3, KafkaLagSeconds: 34, DiskUsedPercent: 35,
		HostPacketsPerSecond: 36, HostBitsPerSecond: 37, HostNewSourcesPerSecond: 0.38, InterfacePercent: 39, ASTableDays: 40, GeoIPDays: 41,
	}
	files, err := evaluate.Files(dashboards.Sources(), evaluate.Config{Alerts: want})
	must(t, err)
	configured := rulesOf(t, files["alerts.json"])
	for name, threshold := range map[string]float64{
		"exporter-silent": 31, "loss-network": 0.32, "loss-collector": 0.32, "sampling-unknown": 3.3, "kafka-lag": 34, "disk-filling": 35,
		"host-packets": 36, "host-bits": 37, "host-sources": 0.38, "interface-full": 39, "tables-old": 40, "geoip-old": 41,
	} {
		if got := configured[name].threshold(); got != threshold {
			t.Errorf("%s fires above %v, want %v", name, got, threshold)
		}
	}
	if _, err := evaluate.Files(dashboards.Sources(), evaluate.Config{Alerts: evaluate.Alerts{DiskUsedPercent: 101}}); err == nil || !strings.Contains(err.Error(), "invalid value 101 (out of bound") {
		t.Errorf("a disk used to 101 %%: %v", err)
	}
}
