package clickhouse_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

// What looks the same is not the same: a capture may be played twice, and sources of
// constant traffic exist. Only what Kafka delivers twice is a double.
func TestTheSameMessageSentTwiceIsStoredTwice(t *testing.T) {
	db, broker := migrated(t)
	message, clock := delimited(t, good(1), good(1)), time.Now()
	publishAt(t, broker, flow.Topic, clock, message, message)
	waitFor(t, db, 4, "SELECT count() FROM flows_raw")
	// Once more as a block of its own.
	publishAt(t, broker, flow.Topic, clock, message, message)
	waitFor(t, db, 8, "SELECT count() FROM flows_raw")
}

// doc/storage.md says how to find and to remove what was stored twice.
func TestDoublesAreFoundAndRemovedOnDemand(t *testing.T) {
	db, broker := migrated(t)
	var flows []*pb.FlowMessage
	for n := range uint64(1000) {
		flows = append(flows, good(n))
	}
	publish(t, broker, delimited(t, flows...))
	waitFor(t, db, 1000, "SELECT count() FROM flows_raw")
	// A group that Kafka does not know reads everything again.
	again := settings(broker.ListenAddrs()[0])
	again.Group = "again"
	if err := clickhouse.ConfigureKafka(t.Context(), db, again); err != nil {
		t.Fatal(err)
	}
	waitFor(t, db, 2000, "SELECT count() FROM flows_raw")

	const doubles = `
		SELECT sum(doubles)
		FROM
		(
			SELECT
				toStartOfMinute(TimeReceived) AS minute,
				count() - uniqExact(cityHash64(*)) AS doubles
			FROM flows_raw
			GROUP BY minute
		)`
	if n := query[uint64](t, db, doubles); n != 1000 {
		t.Errorf("%d doubles are found, want 1000", n)
	}
	exec(t, db, "ALTER TABLE flows_raw MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild'")
	exec(t, db, "OPTIMIZE TABLE flows_raw FINAL DEDUPLICATE")
	if n := query[uint64](t, db, doubles); n != 0 {
		t.Errorf("%d doubles are left", n)
	}
	if n := query[uint64](t, db, "SELECT count() FROM flows_raw"); n != 1000 {
		t.Errorf("%d rows are left, want 1000", n)
	}
}

func TestFlowsOfFourPartitionsAreStoredOnceEachByTwoConsumers(t *testing.T) {
	address := embedded(t) // still there when the tables are dropped
	db := open(t)
	if err := clickhouse.ConfigureKafka(t.Context(), db, settings(address)); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "ALTER NAMED COLLECTION netmeta_kafka SET kafka_num_consumers = 2, kafka_thread_per_consumer = 1")
	t.Cleanup(func() {
		exec(t, db, "ALTER NAMED COLLECTION netmeta_kafka DELETE kafka_num_consumers, kafka_thread_per_consumer")
	})
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	waitFor(t, db, 2, "SELECT countIf(length(assignments.partition_id) = 2) FROM system.kafka_consumers WHERE database = currentDatabase() AND table = 'flows_queue'")

	const flows = 500_000
	sendNumbered(t, address, flows)
	waitFor(t, db, flows, "SELECT uniqExact(SequenceNum) FROM flows_raw")
	if rows := query[uint64](t, db, "SELECT count() FROM flows_raw"); rows != flows {
		t.Errorf("%d rows are stored of %d flows", rows, flows)
	}
	if read := query[uint64](t, db, "SELECT countIf(num_messages_read > 0) FROM system.kafka_consumers WHERE database = currentDatabase() AND table = 'flows_queue'"); read != 2 {
		t.Errorf("%d consumers have read something, want 2", read)
	}
	logParts(t, db)
	began := time.Now()
	sendNumbered(t, address, 1)
	waitFor(t, db, flows+1, "SELECT count() FROM flows_raw")
	t.Logf("a single flow can be queried after %v", time.Since(began).Round(10*time.Millisecond))
}

// sendNumbered sends flows with the sequence numbers 0 to n-1.
func sendNumbered(t *testing.T, address string, n uint32) {
	t.Helper()
	producer, err := queue.Open(queue.Config{Brokers: []string{address}, Topic: flow.Topic})
	if err != nil {
		t.Fatal(err)
	}
	w := producer.NewWriter()
	for number := range n {
		w.Append(&flow.Record{Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, SequenceNum: number, Bytes: 1})
		if number%10_000 == 0 {
			if err := producer.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := producer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func logParts(t *testing.T, db *sql.DB) {
	t.Helper()
	t.Log(query[string](t, db, `
		SELECT concat(toString(max(max_block_number)), ' blocks were stored, of ', toString(intDiv(sum(rows), max(max_block_number))), ' rows')
		FROM system.parts
		WHERE active AND database = currentDatabase() AND table = 'flows_raw'`))
}
