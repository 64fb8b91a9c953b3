package clickhouse_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/kafkatest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/pb"
)

// flowsPerSecond is enough for a block a second of many messages, and few enough that
// all can be counted.
const flowsPerSecond = 10_000

// numbered sends flows with consecutive sequence numbers to Kafka until ctx ends, and
// counts those that Kafka has acknowledged.
func numbered(ctx context.Context, p *queue.Producer, acknowledged *atomic.Uint32) {
	const chunk = 250
	w := p.NewWriter()
	pace := rate.NewLimiter(flowsPerSecond, chunk)
	for pace.WaitN(ctx, chunk) == nil {
		first := acknowledged.Load()
		for n := range uint32(chunk) {
			w.Append(&flow.Record{Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, SequenceNum: first + n, Bytes: 1})
		}
		if p.Flush(context.WithoutCancel(ctx)) == nil {
			acknowledged.Store(first + chunk)
		}
	}
}

// startNumbered does so until stop is called, which returns how many were acknowledged.
func startNumbered(t *testing.T, address string) (stop func() uint64) {
	t.Helper()
	producer, err := queue.Open(queue.Config{Brokers: []string{address}, Topic: flow.Topic})
	if err != nil {
		t.Fatal(err)
	}
	load, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var acknowledged atomic.Uint32
	running.Go(func() { numbered(load, producer, &acknowledged) })
	stop = sync.OnceValue(func() uint64 {
		end()
		running.Wait()
		if err := producer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		return uint64(acknowledged.Load())
	})
	t.Cleanup(func() { stop() })
	return stop
}

// embedded starts the broker of standalone, in this process.
func embedded(t *testing.T) string {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Options{Address: "127.0.0.1:0", DataDir: t.TempDir(),
		Topics: []broker.Topic{{Name: flow.Topic, Partitions: 4}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Address()
}

// genuine starts an Apache Kafka.
func genuine(t *testing.T) string {
	t.Helper()
	address, _ := kafkatest.Start(t)
	kafkatest.CreateTopic(t, []string{address}, flow.Topic, 4)
	kafkatest.CreateTopic(t, []string{address}, flow.CountersTopic, 1)
	kafkatest.CreateTopic(t, []string{address}, flow.PipelineTopic, 1)
	kafkatest.CreateTopic(t, []string{address}, flow.TracesTopic, 1)
	return address
}

func TestClickHouseKilledTenTimesLosesNothing(t *testing.T) {
	for kind, start := range map[string]func(*testing.T) string{"embedded broker": embedded, "genuine Kafka": genuine} {
		t.Run(kind, func(t *testing.T) { killUnderLoad(t, start(t)) })
	}
}

// killUnderLoad kills ClickHouse ten times while flows arrive, and compares what is stored
// with what Kafka acknowledged.
func killUnderLoad(t *testing.T, address string) {
	s := startServer(t, address)
	stop := startNumbered(t, address)
	random := rand.New(rand.NewPCG(1, 1))
	for n := range 10 {
		s.waitNewPart(t)
		if n%2 == 0 {
			// Rows are stored, their offsets are not committed yet. Those of the block before are.
			s.waitNewPart(t)
		} else {
			<-time.After(time.Duration(random.IntN(2000)) * time.Millisecond)
		}
		s.restart(t)
	}
	total := stop()
	waitFor(t, s.db, total, "SELECT uniqExact(SequenceNum) FROM flows_raw")
	rows := query[uint64](t, s.db, "SELECT count() FROM flows_raw")
	t.Logf("%d flows acknowledged, %d stored twice", total, rows-total)
}
