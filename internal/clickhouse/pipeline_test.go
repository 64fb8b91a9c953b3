package clickhouse_test

import (
	"database/sql"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// count is a counter of one collector as it grows.
func count(at uint64, instance, metric, labels string, value, increase float64) proto.Message {
	m := &pb.PipelineCounter{Time: at, Instance: instance, Started: at - 1000, Metric: metric, Labels: map[string]string{}, Value: value, Increase: increase}
	for label := range strings.FieldsSeq(labels) {
		name, value, _ := strings.Cut(label, "=")
		m.Labels[name] = value
	}
	return m
}

// lines returns the rows of a query with one column of text.
func lines(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	return query[string](t, db, "SELECT arrayStringConcat(groupArray(line), '\n') FROM ("+statement+")")
}

func TestPipelineTellsWhatWasLostAtEachStageAndWhy(t *testing.T) {
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	const lost, late = "exporter=192.0.2.1 protocol=netflow9 unit=datagrams", "exporter=192.0.2.1 protocol=netflow9 unit=datagrams"
	counters := []proto.Message{
		count(now, "a", "netmeta_exporter_unsampled_packets_total", "exporter=192.0.2.2", 5, 5),
		count(now-10, "a", "netmeta_exporter_lost_total", lost, 7, 7),
		count(now, "a", "netmeta_exporter_lost_total", lost, 9, 2),
		count(now, "a", "netmeta_exporter_late_total", late, 4, 4),
		count(now, "b", "netmeta_exporter_lost_total", "exporter=192.0.2.9 protocol=ipfix unit=records", 100, 100),
		count(now, "a", "netmeta_listen_datagrams_total", "listener=netflow", 500, 500),
		count(now, "a", "netmeta_listen_kernel_drops_total", "listener=netflow", 3, 3),
		count(now, "a", "netmeta_collect_refused_datagrams_total", "listener=netflow", 2, 2),
		count(now, "a", "netmeta_exporter_records_total", "exporter=192.0.2.1 protocol=netflow9", 4000, 4000),
		count(now, "a", "netmeta_decode_errors_total", "protocol=netflow9 reason=truncated", 6, 6),
		count(now, "a", "netmeta_decode_errors_total", "protocol=netflow9 reason=unknown_template", 1, 1), // is among the refused
		count(now, "a", "netmeta_exporter_held_sets_total", "outcome=released", 50, 50),
		count(now, "a", "netmeta_exporter_held_sets_total", "outcome=expired", 8, 8),
		count(now, "a", "netmeta_exporter_held_sets_total", "outcome=refused", 1, 1),
		count(now, "a", "netmeta_exporter_limited_flows_total", "exporter=192.0.2.1", 10, 10),
		count(now, "a", "netmeta_queue_flows_acknowledged_total", "topic=flow-messages", 3990, 3990),
		count(now, "a", "netmeta_queue_flows_dropped_total", "topic=flow-messages reason=spool_full", 11, 11),
		count(now, "a", "netmeta_queue_flows_dropped_total", "topic=flow-messages reason=refused", 0, 0),
		count(now, "a", "netmeta_queue_ready", "topic=flow-messages", 1, 0),
		count(now, "a", "netmeta_records_total", "protocol=netflow9", 4000, 4000), // are counted by exporter
		count(now, "host", "netmeta_records_total", "protocol=mirror", 70, 70),
		count(now, "host", "netmeta_agent_kernel_drops_total", "source=mirror", 12, 12),
		count(now, "host", "netmeta_agent_conntrack_missed_ends_total", "", 13, 13),
	}
	all := delimited(t, counters...)
	// Kafka may deliver twice.
	publishTo(t, broker, flow.PipelineTopic, all, all)
	publishTo(t, broker, flow.Topic, []byte("not a message"))
	waitFor(t, db, uint64(2*len(counters)), "SELECT count() FROM pipeline_counters")
	waitFor(t, db, 1, "SELECT count() FROM flows_errors")

	want := strings.TrimSpace(`
exporter lost 5 packets agent could not sample 192.0.2.2
network lost -4 datagrams came late 192.0.2.1
network lost 9 datagrams missing in sequence numbers 192.0.2.1
network lost 100 records missing in sequence numbers 192.0.2.9
kernel passed 500 datagrams
kernel lost 12 packets agent did not read fast enough
kernel lost 13 flows ends of connections
kernel lost 3 datagrams socket buffer full
allow-list lost 2 datagrams not in --allow
decoder passed 70 flows
decoder passed 4000 flows  192.0.2.1
decoder lost 8 sets template expired
decoder lost 1 sets template refused
decoder lost 6 records truncated
limits lost 10 flows above the limit of the exporter 192.0.2.1
queue passed 3990 flows
queue lost 11 flows spool_full
ClickHouse lost 1 messages not readable`)
	got := lines(t, db, `
		SELECT trimRight(concat(toString(Stage), ' ', toString(Outcome), ' ', toString(sum(Amount)), ' ', Unit, ' ', Reason, ' ', Exporter)) AS line
		FROM pipeline
		GROUP BY Stage, Outcome, Unit, Reason, Exporter
		ORDER BY Stage, Outcome, Reason, Exporter`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := lines(t, db, "SELECT concat(Instance, ' ', toString(sum(Amount))) AS line FROM pipeline WHERE Metric = 'netmeta_exporter_lost_total' GROUP BY Instance ORDER BY Instance"); got != "a 9\nb 100" {
		t.Errorf("by collector: got\n%s", got)
	}
}

// A process that was started anew counts from 0, and so does what it has written.
func TestRestartedCollectorLosesNoCounts(t *testing.T) {
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	const metric, labels = "netmeta_listen_kernel_drops_total", "listener=sflow"
	publishTo(t, broker, flow.PipelineTopic, delimited(t,
		count(now-30, "a", metric, labels, 100, 100), count(now-20, "a", metric, labels, 130, 30),
		count(now-10, "a", metric, labels, 5, 5), count(now, "a", metric, labels, 6, 1)))
	waitFor(t, db, 4, "SELECT count() FROM pipeline_counters")
	if got := query[float64](t, db, "SELECT sum(Amount) FROM pipeline"); got != 136 {
		t.Errorf("%v were lost in all, want 136", got)
	}
}

func TestEveryPipelineCounterBecomesARow(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE pipeline_counters REMOVE TTL")
	random := rand.New(rand.NewPCG(5, 6))
	var batch []proto.Message
	for range 1000 {
		m := &pb.PipelineCounter{Labels: map[string]string{"reason": "\x00'\\", "": ""}}
		batch = append(batch, extreme(random, m))
	}
	publishTo(t, broker, flow.PipelineTopic, delimited(t, batch...))
	waitFor(t, db, 1000, "SELECT count() FROM pipeline_counters")
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
	exec(t, db, "SELECT * FROM pipeline FORMAT Null")
}

// A dashboard asks for the last hour; a week of a thousand exporters would take seconds.
func TestPipelineReadsOnlyTheTimeThatIsAskedFor(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, `
		INSERT INTO pipeline_counters (Time, Instance, Metric, Value, Increase)
		SELECT now() - number, 'a', ['netmeta_listen_kernel_drops_total', 'netmeta_queue_ready', 'netmeta_exporter_lost_total'][1 + number % 3], number, 1 FROM numbers(500000)`)
	exec(t, db, "OPTIMIZE TABLE pipeline_counters FINAL")
	explain := lines(t, db, "SELECT explain AS line FROM (EXPLAIN indexes = 1 SELECT sum(Amount) FROM pipeline WHERE Time > now() - INTERVAL 1 HOUR AND Outcome = 'lost')")
	if !strings.Contains(explain, "PrimaryKey") || !strings.Contains(explain, "Granules: 2/") && !strings.Contains(explain, "Granules: 1/") && !strings.Contains(explain, "Granules: 3/") {
		t.Errorf("more than the last hour of the table is read:\n%s", explain)
	}
}

// ClickHouse may look at a filter of the view before it leaves out the metrics that the view
// does not have.
func TestPipelineCanBeFilteredByOutcomeAlone(t *testing.T) {
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	publishTo(t, broker, flow.PipelineTopic, delimited(t,
		count(now, "a", "netmeta_queue_retries_total", "topic=flow-messages", 1, 1),
		count(now, "a", "netmeta_a_total", "", 1, 1),
		count(now, "a", "netmeta_listen_datagrams_total", "listener=sflow", 5, 5)))
	waitFor(t, db, 3, "SELECT count() FROM pipeline_counters")
	for _, filter := range []string{"Outcome = 'passed'", "Stage = 'kernel'", "Outcome = 'passed' AND Stage = 'kernel' AND Topic = ''"} {
		if got := query[float64](t, db, "SELECT sum(Amount) FROM pipeline WHERE "+filter); got != 5 {
			t.Errorf("%s: %v, want 5", filter, got)
		}
	}
}
