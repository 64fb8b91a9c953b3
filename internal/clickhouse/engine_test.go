package clickhouse_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) {
	proctest.Program(serveEngine)
	os.Exit(chdbtest.Main(m))
}

// open returns a client of a new database.
func open(t *testing.T) *sql.DB {
	t.Helper()
	name := chdbtest.Database(t)
	server := httptest.NewServer(chhttp.New(chdbtest.Engine(t), chhttp.Options{}))
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(server.URL + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// migrated returns a client of a new database with the whole schema, reading from
// a broker of its own.
func migrated(t *testing.T) (*sql.DB, *kfake.Cluster) {
	t.Helper()
	broker := startBroker(t) // first, so that it is still there when the tables are dropped
	db := open(t)
	clickhousetest.Migrate(t, db, settings(broker.ListenAddrs()[0]))
	return db, broker
}

func startBroker(t *testing.T) *kfake.Cluster {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": "16777216"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	// ClickHouse's consumers do not say when they end: Kafka waits for as long. Less would
	// be too little for the heartbeats of a machine that is busy with other tests.
	broker.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		join := request.(*kmsg.JoinGroupRequest)
		join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 10_000, 10_000
		return nil, nil, false
	})
	return broker
}

func configure(t *testing.T, db *sql.DB, broker *kfake.Cluster) {
	t.Helper()
	if err := clickhouse.ConfigureKafka(t.Context(), db, settings(broker.ListenAddrs()[0])); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, db *sql.DB, statement string) (value T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// patience is how long a test waits for flows: longer than a genuine Kafka waits for a
// consumer that was killed, on a machine that is busy with other tests.
const patience = 3 * time.Minute

// waitFor waits until the query counts n.
func waitFor(t *testing.T, db *sql.DB, n uint64, statement string) {
	t.Helper()
	var got uint64
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got = query[uint64](t, db, statement); got == n {
			return
		}
	}
	t.Fatalf("%s: %d, want %d", statement, got, n)
}

// delimited is the value of a Kafka message that holds the given flows or counters.
func delimited[M proto.Message](t *testing.T, messages ...M) []byte {
	t.Helper()
	var value bytes.Buffer
	for _, m := range messages {
		if _, err := protodelim.MarshalTo(&value, m); err != nil {
			t.Fatal(err)
		}
	}
	return value.Bytes()
}

// publish writes one Kafka message of flows for each value.
func publish(t *testing.T, broker *kfake.Cluster, values ...[]byte) {
	t.Helper()
	publishTo(t, broker, flow.Topic, values...)
}

func publishTo(t *testing.T, broker *kfake.Cluster, topic string, values ...[]byte) {
	t.Helper()
	publishAt(t, broker, topic, time.Now(), values...)
}

// publishAt does so with the time of a producer's clock.
func publishAt(t *testing.T, broker *kfake.Cluster, topic string, clock time.Time, values ...[]byte) {
	t.Helper()
	writer := &kafka.Writer{Addr: kafka.TCP(broker.ListenAddrs()...), Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, BatchBytes: 15 << 20}
	defer writer.Close()
	messages := make([]kafka.Message, len(values))
	for i, value := range values {
		messages[i] = kafka.Message{Value: value, Time: clock}
	}
	if err := writer.WriteMessages(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
}
