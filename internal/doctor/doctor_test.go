package doctor

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// well is a system in which flows get through.
func well() Facts {
	topic := func(name, group string, end int64) Topic {
		at := func(end int64) queue.TopicState {
			return queue.TopicState{Topic: name, Group: group, Partitions: []queue.PartitionLag{{End: end, Committed: end - 1}}}
		}
		before := at(end - 100)
		return Topic{TopicState: at(end), Before: &before, Over: 5 * time.Second}
	}
	exporter := map[string]string{"exporter": "192.0.2.1", "protocol": "netflow9"}
	return Facts{
		Time: now,
		Collectors: []Collector{{Name: "collector:9100", Over: 5 * time.Second, Readings: Readings{
			"netmeta_listen_datagrams_total":               {{Labels: map[string]string{"listener": "netflow"}, Value: 10_000, Growth: 100}},
			"netmeta_exporter_datagrams_total":             {{Labels: exporter, Value: 10_000, Growth: 100}},
			"netmeta_exporter_records_total":               {{Labels: exporter, Value: 200_000, Growth: 2000}},
			"netmeta_exporter_last_seen_timestamp_seconds": {{Labels: exporter, Value: float64(now.Unix())}},
			"netmeta_records_total":                        {{Labels: map[string]string{"protocol": "netflow9"}, Value: 200_000, Growth: 2000}},
			"netmeta_queue_ready":                          {{Labels: map[string]string{"topic": flow.Topic}, Value: 1}},
			"netmeta_queue_flows_acknowledged_total":       {{Labels: map[string]string{"topic": flow.Topic}, Value: 200_000, Growth: 2000}},
		}}},
		Kafka: &Kafka{Brokers: "kafka:9092", Topics: []Topic{topic(flow.Topic, "clickhouse", 1000)}},
		ClickHouse: &ClickHouse{
			Version: "26.1", Schema: clickhouse.SchemaState{Version: 94, Newest: 94, Flows: true},
			Consumers: []Consumer{{Table: "flows_queue", Assigned: 4}}, Newest: now.Add(-2 * time.Second),
			Disks: []Space{{Path: "/data", Free: 50 << 30, Total: 100 << 30}}, Parts: Parts{Table: "flows_raw", Count: 10, Delay: 1000, Throw: 3000},
		},
		Console: &Page{URL: "console:8080", Status: 200},
	}
}

// set sets a series of the first collector.
func (f Facts) set(metric string, value, growth float64, labels ...string) {
	named := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		named[labels[i]] = labels[i+1]
	}
	f.Collectors[0].Readings[metric] = []Reading{{Labels: named, Value: value, Growth: growth}}
}

func TestNothingIsFoundWhereFlowsGetThrough(t *testing.T) {
	r := Diagnose(well())
	for _, s := range r.Stages {
		if s.Level != OK && s.ID != "grafana" {
			t.Errorf("%s: %s, %s", s.ID, s.Level, s.Summary)
		}
	}
	if r.Level != OK || r.First != "" {
		t.Errorf("the report has level %s, first %q", r.Level, r.First)
	}
}

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func TestFaultIsFoundAtItsStageWithWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(f *Facts)
		stage string
		level Level
		want  string // in the summary
		do    string // in what to do about it
	}{
		"collector away":      {func(f *Facts) { f.Collectors[0] = Collector{Name: "c", Err: refused} }, "sockets", Problem, "does not answer", "--metrics"},
		"socket not bound":    {func(f *Facts) { f.Sockets = []Socket{{"sflow", ":6343", false}} }, "sockets", Problem, ":6343", "log"},
		"socket not read":     {func(f *Facts) { f.Collectors[0].Failing = []Failing{{"netflow", "no answer for 2s"}} }, "sockets", Problem, "no answer", "Restart"},
		"nothing ever came":   {func(f *Facts) { f.set("netmeta_listen_datagrams_total", 0, 0) }, "sockets", Problem, "no datagram has arrived since it was started", "firewall"},
		"nothing comes":       {func(f *Facts) { f.set("netmeta_listen_datagrams_total", 9, 0); f.Time = now.Add(time.Hour) }, "sockets", Problem, "for 1h", "firewall"},
		"kernel drops most":   {func(f *Facts) { f.set("netmeta_listen_kernel_drops_total", 900, 90, "listener", "netflow") }, "sockets", Problem, "90 in the last 5s, 900 in all", "rmem_max"},
		"kernel drops little": {func(f *Facts) { f.set("netmeta_listen_kernel_drops_total", 1, 1, "listener", "netflow") }, "sockets", Warning, "dropped", "rmem_max"},
		"reads fail":          {func(f *Facts) { f.set("netmeta_listen_errors_total", 1, 1) }, "sockets", Warning, "socket fails", "log"},
		"wrong port": {func(f *Facts) {
			f.set("netmeta_decode_errors_total", 500, 500, "protocol", "netflow", "reason", "version")
		}, "decoding", Problem, "of netflow could not be decoded: version", "right port"},
		"template missing": {func(f *Facts) { f.set("netmeta_exporter_template_misses_total", 7, 1, "exporter", "192.0.2.9") }, "decoding", Problem, "192.0.2.9 wait for their template", "template refresh"},
		"template lost":    {func(f *Facts) { f.set("netmeta_exporter_held_sets_total", 7, 1, "outcome", "expired") }, "decoding", Warning, "expired", "template refresh"},
		"rate unknown": {func(f *Facts) {
			f.set("netmeta_exporter_unknown_rate_records_total", 200_000, 2000, "exporter", "192.0.2.1")
		}, "exporters", Warning, "rate of 192.0.2.1 is unknown", "--default-sampling-rate"},
		"not allowed":     {func(f *Facts) { f.set("netmeta_collect_refused_datagrams_total", 50, 50, "listener", "netflow") }, "exporters", Problem, "--allow does not have", "--allow"},
		"above its limit": {func(f *Facts) { f.set("netmeta_exporter_limited_flows_total", 5000, 5000, "exporter", "192.0.2.1") }, "exporters", Warning, "above its limit", "raise its limit"},
		"sequence gaps":   {func(f *Facts) { f.set("netmeta_exporter_lost_total", 900, 300, "exporter", "192.0.2.1") }, "exporters", Warning, "missing in the sequence numbers of 192.0.2.1", "on the way"},
		"agent short":     {func(f *Facts) { f.set("netmeta_exporter_unsampled_packets_total", 9, 9, "exporter", "192.0.2.1") }, "exporters", Warning, "cannot sample", "more packets"},
		"duplicates":      {func(f *Facts) { f.set("netmeta_exporter_duplicate_datagrams_total", 9, 9, "exporter", "192.0.2.1") }, "exporters", Warning, "twice", "mirrored"},
		"queue not ready": {func(f *Facts) { f.set("netmeta_queue_ready", 0, 0, "topic", flow.Topic) }, "queue", Problem, "Kafka does not take flow-messages", "--kafka"},
		"buffer full": {func(f *Facts) {
			f.set("netmeta_queue_flows_dropped_total", 5000, 5000, "topic", flow.Topic, "reason", "buffer_full")
		}, "queue", Problem, "lost before Kafka: buffer_full", "--kafka-buffer"},
		"spool filling":      {func(f *Facts) { f.set("netmeta_queue_spool_oldest_seconds", 90, 0, "topic", flow.Topic) }, "queue", Warning, "the oldest for 1m30s", "--spool-size"},
		"spool broken":       {func(f *Facts) { f.set("netmeta_queue_spool_errors_total", 3, 3, "topic", flow.Topic) }, "queue", Problem, "cannot be written or read", "--state-dir"},
		"disk of standalone": {func(f *Facts) { f.DataDir = &Space{Path: "/data", Free: 100 << 20, Keep: brokerReserve} }, "queue", Problem, "100 MiB are free", "--retention"},
		"broker refuses":     {func(f *Facts) { f.set("netmeta_broker_refused_total", 3, 3) }, "queue", Problem, "disk is almost full", "Free some space"},
		"Kafka away": {func(f *Facts) {
			f.Kafka = &Kafka{Brokers: "kafka:9092", Err: refused}
			f.set("netmeta_queue_ready", 0, 0, "topic", flow.Topic)
		}, "kafka", Problem, "cannot be reached", "advertised.listeners"},
		"topic missing":       {func(f *Facts) { f.Kafka.Topics[0].Missing = true }, "kafka", Problem, "no topic flow-messages", "--create"},
		"lag":                 {func(f *Facts) { f.Kafka.Topics[0].Partitions[0].End += 5000 }, "kafka", Warning, "5,001 messages of flow-messages wait", "late"},
		"nobody reads":        {func(f *Facts) { f.ClickHouse = nil; f.Kafka.Topics[0].Before = &f.Kafka.Topics[0].TopicState }, "kafka", Problem, "has read none", "--clickhouse"},
		"ClickHouse stuck":    {func(f *Facts) { f.Kafka.Topics[0].Before = &f.Kafka.Topics[0].TopicState }, "clickhouse", Problem, "reads nothing from Kafka, where 1 message wait", "kafka_consumers"},
		"ClickHouse away":     {func(f *Facts) { f.ClickHouse = &ClickHouse{Err: refused} }, "clickhouse", Problem, "cannot be reached", "8123"},
		"ClickHouse refuses":  {func(f *Facts) { f.ClickHouse = &ClickHouse{Err: errors.New("code: 516"), Refused: true} }, "clickhouse", Unknown, "code: 516", "password"},
		"rights missing":      {func(f *Facts) { f.ClickHouse.Failed = []error{errors.New("disks: code: 497")} }, "clickhouse", Unknown, "code: 497", "system tables"},
		"no tables":           {func(f *Facts) { f.ClickHouse.Schema = clickhouse.SchemaState{Newest: 94} }, "clickhouse", Problem, "no tables", "netmeta migrate"},
		"version lost":        {func(f *Facts) { f.ClickHouse.Schema.Version = 0 }, "clickhouse", Problem, "no record", "netmeta migrate"},
		"schema behind":       {func(f *Facts) { f.ClickHouse.Schema.Version = 90 }, "clickhouse", Problem, "version 90, this netmeta has 94", "netmeta migrate"},
		"schema ahead":        {func(f *Facts) { f.ClickHouse.Schema.Version = 99 }, "clickhouse", Problem, "knows versions up to 94", "newer netmeta"},
		"migration cut off":   {func(f *Facts) { f.ClickHouse.Schema.Dirty = true }, "clickhouse", Problem, "not finished", "done again"},
		"migration under way": {func(f *Facts) { f.ClickHouse.Schema.Version, f.ClickHouse.Schema.Changer = 90, "host/1" }, "clickhouse", Problem, "host/1 is just migrating", "Wait"},
		"gate detached":       {func(f *Facts) { f.ClickHouse.Schema.Closed = []string{"flows_gate"} }, "clickhouse", Problem, "flows_gate is detached", "ATTACH TABLE flows_gate"},
		"gate closed a moment": {func(f *Facts) {
			f.ClickHouse.Schema.Closed, f.ClickHouse.Schema.Changer = []string{"flows_gate"}, "host/1"
		}, "clickhouse", Warning, "for a moment", ""},
		"consumer fails": {func(f *Facts) { f.ClickHouse.Consumers[0].Failure = "no space left" }, "clickhouse", Problem, "no space left", "tries again"},
		"consumer idle":  {func(f *Facts) { f.ClickHouse.Consumers[0].Assigned = 0 }, "clickhouse", Warning, "no partition", "netmeta_kafka"},
		"consumer idle, queue not": {func(f *Facts) {
			f.ClickHouse.Consumers[0].Assigned = 0
			f.Kafka.Topics[0].Before = &f.Kafka.Topics[0].TopicState
		}, "clickhouse", Problem, "reads nothing from Kafka", "kafka_consumers"},
		"poison":               {func(f *Facts) { f.ClickHouse.Poison = Poison{3, 5, flow.Topic, "Protobuf"} }, "clickhouse", Problem, "3 messages of the last ten minutes", "flows_errors"},
		"poison of old":        {func(f *Facts) { f.ClickHouse.Poison = Poison{0, 5, flow.Topic, "Protobuf"} }, "clickhouse", Warning, "5 messages could not", "flows_errors"},
		"flows are old":        {func(f *Facts) { f.ClickHouse.Newest = now.Add(-10 * time.Minute) }, "clickhouse", Problem, "10m old, though Kafka gets flows", "brokers"},
		"disk below keep-free": {func(f *Facts) { f.ClickHouse.Disks[0].Keep = 60 << 30 }, "clickhouse", Problem, "writes nothing while there are less than 60 GiB", "retention"},
		"disk almost full":     {func(f *Facts) { f.ClickHouse.Disks[0].Free = 10 << 30 }, "clickhouse", Warning, "10 GiB free of 100 GiB", "retention"},
		"too many parts":       {func(f *Facts) { f.ClickHouse.Parts.Count = 3000 }, "clickhouse", Problem, "3000 parts", "Merges"},
		"clocks differ":        {func(f *Facts) { f.ClickHouse.ClockSkew = time.Minute }, "clickhouse", Warning, "by 1m", "NTP"},
		"console away":         {func(f *Facts) { f.Console = &Page{Err: refused} }, "console", Problem, "does not answer", "--console"},
		"console not ready":    {func(f *Facts) { f.Console = &Page{Status: 503, Problem: "not ready: NetMeta is starting"} }, "console", Problem, "is starting", "stage above"},
		"Grafana behind login": {func(f *Facts) { f.Grafana = &Page{Status: 502} }, "grafana", Problem, "status 502", "--grafana"},
		"probe filtered":       {func(f *Facts) { f.Probe = &Probe{To: "c:2055", Waited: time.Second} }, "probe", Problem, "did not arrive", "--netflow"},
		"probe stuck":          {func(f *Facts) { f.Probe = &Probe{To: "c:2055", Waited: time.Second, Reached: "kafka"} }, "probe", Problem, "kafka", "behind"},
	} {
		t.Run(name, func(t *testing.T) {
			f := well()
			test.fault(&f)
			r := Diagnose(f)
			for _, s := range r.Stages {
				if s.ID != test.stage {
					continue
				}
				if s.Level != test.level || !strings.Contains(s.Summary, test.want) || !strings.Contains(s.Findings[0].Do, test.do) {
					t.Errorf("%s says: %s, %s; %s\nwant: %s, %q; %q", s.ID, s.Level, s.Summary, s.Findings[0].Do, test.level, test.want, test.do)
				}
			}
			first := ""
			if test.level == Problem {
				first = test.stage
			}
			if r.First != first || r.Level != test.level {
				t.Errorf("the report has level %s and begins at %q, want %s at %q", r.Level, r.First, test.level, first)
			}
			var text bytes.Buffer
			if err := r.Write(&text); err != nil || !strings.Contains(strings.Join(strings.Fields(text.String()), " "), test.want) {
				t.Errorf("the text (%v) does not say %q:\n%s", err, test.want, text.String())
			}
		})
	}
}

func TestWhatIsNotNamedIsSkipped(t *testing.T) {
	r := Diagnose(Facts{Time: now})
	for _, s := range r.Stages {
		if s.Level != Skipped || !strings.Contains(s.Summary, "give --") {
			t.Errorf("%s: %s, %s", s.ID, s.Level, s.Summary)
		}
	}
}

func TestSpansAreWrittenAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1900 * time.Millisecond: "1.9s", 30 * time.Second: "30s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m",
		time.Hour: "1h", 90 * time.Minute: "1h30m", 20 * time.Hour: "20h",
	} {
		if got := span(d); got != want {
			t.Errorf("%d is written %q, want %q", d, got, want)
		}
	}
}

func TestLinesAreBrokenBetweenWords(t *testing.T) {
	f := well()
	f.Kafka = &Kafka{Brokers: "kafka:9092", Err: errors.New(strings.Repeat("word ", 60))}
	var text bytes.Buffer
	if err := Diagnose(f).Write(&text); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if len(strings.TrimSpace(line)) > 100 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
}
