package console

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// counted makes the counters of a snapshot: metric and labels joined by a slash.
func counted(values map[string]float64) map[string]map[string]float64 {
	counters := map[string]map[string]float64{}
	for name, value := range values {
		metric, labels, _ := strings.Cut(name, "/")
		if counters[metric] == nil {
			counters[metric] = map[string]float64{}
		}
		counters[metric][labels] = value
	}
	return counters
}

// plus returns a and b added up.
func plus(a, b map[string]float64) map[string]float64 {
	sum := map[string]float64{}
	for name, value := range a {
		sum[name] += value
	}
	for name, value := range b {
		sum[name] += value
	}
	return sum
}

// A minute of good traffic, as counters.
var minuteOfTraffic = map[string]float64{
	metricDatagrams + "/sflow":                   6000,
	metricRecords + "/sflow":                     60000,
	metricAcknowledged + "/" + flow.Topic:        60000,
	metricQueueReady + "/":                       1,
	metricKernelDrops + "/sflow":                 0,
	metricDropped + "/buffer_full " + flow.Topic: 0,
	metricDecodeErrors + "/sflow other":          0,
}

func TestAssess(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	full := stored{rows: 60000, newest: start.Add(49 * time.Second)}
	for _, c := range []struct {
		name    string
		before  *snapshot // 50 s earlier; nil: none
		now     snapshot
		stage   string // whose state is looked at
		level   level
		says    string // part of its advice
		overall level
	}{
		{
			name:  "nothing has arrived yet",
			now:   snapshot{},
			stage: "datagrams", level: levelIdle, says: "point a router here", overall: levelIdle,
		},
		{
			name:   "all is well",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full},
			stage:  "rows", level: levelOK, overall: levelOK,
		},
		{
			name:   "losses before the last minute are not news",
			before: &snapshot{counters: counted(map[string]float64{metricKernelDrops + "/sflow": 5}), stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricKernelDrops + "/sflow": 5})), stored: full},
			stage:  "datagrams", level: levelOK, overall: levelOK,
		},
		{
			name:   "silence",
			before: &snapshot{counters: counted(minuteOfTraffic), stored: full},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full},
			stage:  "datagrams", level: levelWarn, says: "No datagram has arrived for 50s", overall: levelWarn,
		},
		{
			name:   "the kernel drops a few",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricKernelDrops + "/sflow": 7})), stored: full},
			stage:  "datagrams", level: levelWarn, says: "net.core.rmem_max", overall: levelWarn,
		},
		{
			name:   "the kernel drops most",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricKernelDrops + "/sflow": 60000})), stored: full},
			stage:  "datagrams", level: levelBad, says: "net.core.rmem_max", overall: levelBad,
		},
		{
			name:   "templates are missing, which passes",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricHeldSets + "/": 12})), stored: full},
			stage:  "records", level: levelWarn, says: "template refresh", overall: levelWarn,
		},
		{
			name:   "datagrams are lost on the way",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricLost + "/192.0.2.1 sflow datagrams": 9})), stored: full},
			stage:  "datagrams", level: levelWarn, says: "lost on the way", overall: levelWarn,
		},
		{
			name:   "datagrams overtake each other",
			before: &snapshot{stored: stored{rows: 1}},
			now: snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{
				metricLost + "/192.0.2.1 sflow datagrams": 9, metricLate + "/192.0.2.1 sflow datagrams": 9})), stored: full},
			stage: "datagrams", level: levelOK, overall: levelOK,
		},
		{
			name:   "nothing of what arrives can be decoded",
			before: &snapshot{},
			now:    snapshot{counters: counted(map[string]float64{metricDatagrams + "/sflow": 9, metricDecodeErrors + "/sflow version": 9})},
			stage:  "records", level: levelBad, says: "to the right port", overall: levelBad,
		},
		{
			name:   "Kafka does not take records",
			before: &snapshot{stored: full},
			now: snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{
				metricQueueReady + "/": -1, metricBuffered + "/": 1e6})), stored: full},
			stage: "kafka", level: levelBad, says: "wait in memory", overall: levelBad,
		},
		{
			name:   "records are dropped before Kafka",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(plus(minuteOfTraffic, map[string]float64{metricDropped + "/buffer_full " + flow.Topic: 5})), stored: full},
			stage:  "kafka", level: levelWarn, says: "lost before Kafka", overall: levelWarn,
		},
		{
			name:   "ClickHouse has stopped reading",
			before: &snapshot{stored: full, lag: 10},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full, lag: 900},
			stage:  "kafka", level: levelBad, says: "system.kafka_consumers", overall: levelBad,
		},
		{
			name:   "ClickHouse is behind",
			before: &snapshot{stored: stored{rows: 1}, lag: 10000},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full, lag: 9000},
			stage:  "kafka", level: levelWarn, says: "behind", overall: levelWarn,
		},
		{
			name:   "the lag is unknown",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full, lagErr: errors.New("connection refused")},
			stage:  "kafka", level: levelBad, says: "connection refused", overall: levelBad,
		},
		{
			name:   "messages cannot be parsed",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: stored{rows: 60000, errors: 2, reasons: []string{"bad varint"}}},
			stage:  "rows", level: levelWarn, says: "bad varint", overall: levelWarn,
		},
		{
			name:   "ClickHouse does not answer",
			before: &snapshot{stored: full},
			now:    snapshot{counters: counted(minuteOfTraffic), storedErr: errors.New("no answer")},
			stage:  "rows", level: levelBad, says: "no answer", overall: levelBad,
		},
		{
			name:   "not ready though every stage is well",
			before: &snapshot{stored: stored{rows: 1}},
			now:    snapshot{counters: counted(minuteOfTraffic), stored: full, readyErr: errors.New("starting")},
			stage:  "rows", level: levelOK, overall: levelWarn,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h history
			if c.before != nil {
				c.before.at = start
				h.add(c.before)
			}
			c.now.at = start.Add(50 * time.Second)
			p := assess(h.add(&c.now), []Listener{{Name: ListenSFlow, Address: "[::]:6343"}})
			for _, s := range p.Stages {
				if s.ID != c.stage {
					continue
				}
				if s.Level != c.level || !strings.Contains(s.Advice, c.says) || c.says == "" && s.Advice != "" {
					t.Errorf("stage %s is %q and advises %q, want %q and %q", s.ID, s.Level, s.Advice, c.level, c.says)
				}
			}
			if p.Level != c.overall {
				t.Errorf("all is %q (%s), want %q", p.Level, p.Summary, c.overall)
			}
		})
	}
}

func TestTheSummaryNamesEveryStageThatIsWorst(t *testing.T) {
	stages := []stage{{Title: "Datagrams", Level: levelWarn}, {Title: "Records", Level: levelBad}, {Title: "Kafka", Level: levelBad}}
	if _, summary := summarise(trend{{}}, stages, false); summary != "Records, Kafka: needs attention" {
		t.Errorf("summary = %q", summary)
	}
}

func TestRatesCompareWithTheLastQuarterOfAMinute(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	rows := func(after time.Duration, n float64, err error) *snapshot {
		return &snapshot{at: start.Add(after), stored: stored{rows: n}, storedErr: err}
	}
	for _, c := range []struct {
		name      string
		snapshots []*snapshot
		want      float64
		unknown   bool
	}{
		{name: "with nothing to compare, unknown", snapshots: []*snapshot{rows(0, 5, nil)}, unknown: true},
		{name: "since the oldest of the last 15 s", snapshots: []*snapshot{rows(0, 0, nil), rows(40*time.Second, 100, nil), rows(45*time.Second, 160, nil), rows(50*time.Second, 200, nil)}, want: 10},
		{name: "not across a minute", snapshots: []*snapshot{rows(0, 0, nil), rows(2*time.Minute, 60, nil)}, unknown: true},
		{name: "what shrinks has not grown", snapshots: []*snapshot{rows(0, 100, nil), rows(10*time.Second, 40, nil)}, want: 0},
		{name: "not from a failed reading", snapshots: []*snapshot{rows(0, 0, errors.New("failed")), rows(5*time.Second, 100, nil), rows(10*time.Second, 200, nil)}, want: 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h history
			var tr trend
			for _, s := range c.snapshots {
				tr = h.add(s)
			}
			got := tr.rate(ofRows)
			if c.unknown != (got == nil) || got != nil && *got != c.want {
				t.Errorf("rate = %v, want %v (unknown: %v)", got, c.want, c.unknown)
			}
		})
	}
}
