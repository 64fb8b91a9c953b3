package collect_test

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

const anyPort = "127.0.0.1:0"

// everyListener is a configuration with all listeners, on free ports.
var everyListener = collect.Config{SFlow: anyPort, NetFlow: anyPort, NetFlowLegacy: anyPort, SocketBuffer: 16 << 20}

// protocols says which listener takes what the generator sends, and what it becomes.
var protocols = []struct {
	protocol generate.Protocol
	listener string
	flowType pb.FlowMessage_FlowType
}{
	{generate.SFlow, "sflow", pb.FlowMessage_SFLOW_5},
	{generate.NetFlow5, "netflow-legacy", pb.FlowMessage_NETFLOW_V5},
	{generate.NetFlow9, "netflow", pb.FlowMessage_NETFLOW_V9},
	{generate.IPFIX, "netflow", pb.FlowMessage_IPFIX},
}

func fakeKafka(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	k, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(3, flow.Topic))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// openQueue opens a producer, which a test that has not failed closes by closeQueue.
func openQueue(t *testing.T, cfg queue.Config) *queue.Producer {
	t.Helper()
	cfg.Topic = flow.Topic
	p, err := queue.Open(cfg)
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

func closeQueue(t *testing.T, p *queue.Producer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// to has flows go to a queue.
func to(p *queue.Producer) collect.Outputs {
	return collect.Outputs{Flows: func() collect.Writer { return p.NewWriter() }}
}

func startCollector(t *testing.T, p *queue.Producer) *collect.Collector {
	t.Helper()
	c, err := collect.Start(everyListener, to(p))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// traffic sums flows by type and exporter.
type traffic map[source]generate.Totals

type source struct {
	Type    string
	Address netip.Addr
}

func (t traffic) records() (n int) {
	for _, totals := range t {
		n += int(totals.Records)
	}
	return n
}

// sendAll plays exporters of every protocol at once and returns what they have sent.
func sendAll(t *testing.T, c *collect.Collector, flows uint64, rate float64) traffic {
	t.Helper()
	address := map[string]string{}
	for _, l := range c.Listeners() {
		address[l.Name] = l.Addr.String()
	}
	var mu sync.Mutex
	var senders sync.WaitGroup
	sent := traffic{}
	for i, p := range protocols {
		senders.Go(func() {
			report, err := generate.Run(t.Context(), generate.Options{
				Protocol: p.protocol, To: address[p.listener], Flows: flows, Rate: rate, Exporters: 3,
				Seed: uint64(i + 1), SamplingRates: []uint32{512, 1000, 2000}, IPv6Share: 0.3,
			})
			if err != nil {
				t.Errorf("generate %s: %v", p.protocol, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, e := range report.Exporters {
				sent[source{p.flowType.String(), e.Address}] = e
			}
		})
	}
	senders.Wait()
	return sent
}

// readTopic sums what the topic holds, which are so many flows or it fails.
func readTopic(t *testing.T, brokers []string, flows int) traffic {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(flow.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stored := traffic{}
	for stored.records() < flows {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatalf("read the topic after %d of %d flows: %v", stored.records(), flows, err)
		}
		fetched.EachRecord(func(r *kgo.Record) { stored.add(t, r.Value) })
	}
	return stored
}

func (t traffic) add(test *testing.T, message []byte) {
	test.Helper()
	for in := bytes.NewReader(message); in.Len() > 0; {
		var m pb.FlowMessage
		if err := protodelim.UnmarshalFrom(in, &m); err != nil {
			test.Fatal(err)
		}
		address, _ := netip.AddrFromSlice(m.SamplerAddress)
		key := source{m.Type.String(), address}
		e := t[key]
		e.Address = address
		e.Records++
		e.Bytes += m.Bytes
		e.Packets += m.Packets
		e.ScaledBytes += m.Bytes * m.SamplingRate
		t[key] = e
	}
}

func wantSame(t *testing.T, sent, stored traffic) {
	t.Helper()
	if diff := cmp.Diff(sent, stored, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("sent and stored differ (-sent +stored):\n%s", diff)
	}
}

// metric is the sum of a metric over all its labels.
func metric(t *testing.T, name string) (sum int) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += int(m.GetCounter().GetValue() + m.GetGauge().GetValue())
			}
		}
	}
	return sum
}

// counted returns a function that tells by how much a counter has grown since.
func counted(t *testing.T, name string) func() int {
	t.Helper()
	before := metric(t, name)
	return func() int { return metric(t, name) - before }
}

// poll returns when the condition holds.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}
