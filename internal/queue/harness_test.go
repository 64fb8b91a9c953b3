package queue

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

const topic = "flow-messages"

// open starts a producer with short waits. What the test does not set is small, so
// that few flows make many messages and batches.
func open(t testing.TB, cfg Config) *Producer {
	t.Helper()
	cfg.Topic = topic
	setDefault(&cfg.MessageBytes, 2*flow.MaxEncodedSize) // filled by half
	setDefault(&cfg.BatchBytes, 8*flow.MaxEncodedSize)
	setDefault(&cfg.Linger, 20*time.Millisecond)
	setDefault(&cfg.Logger, slog.New(slog.NewTextHandler(io.Discard, nil)))
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Close(ended) // the test has closed it, or has failed
	})
	return p
}

// waitReady returns when the producer has found Kafka and the topic.
func waitReady(t testing.TB, p *Producer) {
	t.Helper()
	poll(t, time.Minute, "the producer to be ready", p.Ready)
}

func deadline(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func closeAll(t testing.TB, p *Producer) {
	t.Helper()
	if err := p.Close(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// flush returns when all that was appended is stored.
func flush(t testing.TB, p *Producer) {
	t.Helper()
	if err := p.Flush(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
}

func closeFlushed(t testing.TB, p *Producer) {
	t.Helper()
	flush(t, p)
	closeAll(t, p)
}

// flows appends flows numbered from first to last.
func flows(w *Writer, first, last uint64) {
	r := flow.Record{Type: pb.FlowMessage_SFLOW_5, SamplingRate: 1000}
	for n := first; n <= last; n++ {
		r.Bytes = n
		w.Append(&r)
	}
}

// contents is what a topic holds.
type contents struct {
	flows        int
	distinct     map[uint64]bool
	byPartition  map[int32]int
	largestValue int
	inOrder      bool // in every partition, flows have the order of their numbers
	last         map[int32]uint64
}

// readBack reads the whole topic with a client of another make.
func readBack(t testing.TB, brokers []string) contents {
	t.Helper()
	ctx := deadline(t, time.Minute)
	s := contents{distinct: map[uint64]bool{}, byPartition: map[int32]int{}, inOrder: true, last: map[int32]uint64{}}
	ends := endOffsets(ctx, t, brokers)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for len(ends) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatalf("read back: %v", err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= ends[int(r.Partition)] {
				delete(ends, int(r.Partition))
			}
			s.add(t, r)
		})
	}
	return s
}

func (s *contents) add(t testing.TB, r *kgo.Record) {
	t.Helper()
	s.largestValue = max(s.largestValue, len(r.Value))
	for in := bytes.NewReader(r.Value); in.Len() > 0; {
		var m pb.FlowMessage
		if err := protodelim.UnmarshalFrom(in, &m); err != nil {
			t.Fatalf("partition %d offset %d: %v", r.Partition, r.Offset, err)
		}
		s.flows++
		s.byPartition[r.Partition]++
		s.distinct[m.Bytes] = true
		s.inOrder = s.inOrder && m.Bytes > s.last[r.Partition]
		s.last[r.Partition] = m.Bytes
	}
}

// endOffsets returns the end of each partition that holds something.
func endOffsets(ctx context.Context, t testing.TB, brokers []string) map[int]int64 {
	t.Helper()
	c, err := newCluster(Config{Brokers: brokers, Topic: topic, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	bounds, err := c.bounds(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]int64{}
	for _, b := range bounds {
		if b.End > b.Start {
			ends[b.Partition] = b.End
		}
	}
	return ends
}

// wantExactly fails unless each of n flows is stored once.
func wantExactly(t testing.TB, s contents, n int) {
	t.Helper()
	if s.flows != n || len(s.distinct) != n {
		t.Errorf("stored %d flows, %d of them distinct; want %d each once", s.flows, len(s.distinct), n)
	}
}

// counted returns a function that tells by how much c has grown since.
func counted(c prometheus.Collector) func() int {
	before := testutil.ToFloat64(c)
	return func() int { return int(testutil.ToFloat64(c) - before) }
}

func fakeKafka(t testing.TB, partitions int32, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	opts = append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic)}, opts...)
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// everyNth returns a function that is true once in n calls.
func everyNth(n int) func(kmsg.Request) bool {
	calls := 0
	return func(kmsg.Request) bool {
		calls++
		return calls%n == 0
	}
}

// poll returns when the condition holds.
func poll(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// wantOnce fails unless each text was logged once.
func (l *lines) wantOnce(t testing.TB, texts ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range texts {
		if n := strings.Count(l.buf.String(), text); n != 1 {
			t.Errorf("%q was logged %d times, want once:\n%s", text, n, l.buf.String())
		}
	}
}

func portOf(t testing.TB, address string) int {
	t.Helper()
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return int(a.Port())
}
