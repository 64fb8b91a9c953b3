//go:build linux

package singlenode_test

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/pb"
)

// traffic is what exporters outside of the cluster have sent, and what is in Kafka.
type traffic struct {
	node      *onNode
	consumer  *kgo.Client
	sent      map[netip.Addr]generate.Totals
	datagrams int
	stored    map[netip.Addr]generate.Totals
	counted   map[string]float64 // of the collectors' own counters, over all of their lives
}

// newTraffic counts from now on.
func newTraffic(t *testing.T, n *onNode) *traffic {
	t.Helper()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(n.kafka+":9092"), kgo.ConsumeTopics(flow.Topic, flow.PipelineTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consumer.Close)
	return &traffic{node: n, consumer: consumer, sent: map[netip.Addr]generate.Totals{}, stored: map[netip.Addr]generate.Totals{}, counted: map[string]float64{}}
}

// send plays exporters of NetFlow v9 while during runs, and a bit longer, and returns
// when all that they have sent is in Kafka.
func (f *traffic) send(t *testing.T, to string, during func()) {
	t.Helper()
	sending, stop := context.WithCancel(t.Context())
	defer stop()
	type result struct {
		generate.Report
		err error
	}
	done := make(chan result, 1)
	go func() {
		report, err := generate.Run(sending, generate.Options{
			Protocol: generate.NetFlow9, To: to, Rate: 10_000, Exporters: 8, Seed: 1, SamplingRates: []uint32{512}, IPv6Share: 0.3,
		})
		done <- result{report, err}
	}()
	// Before and after, flows get through.
	f.awaitMore(t)
	during()
	f.awaitMore(t)
	stop()
	sent := <-done
	if sent.err != nil && t.Context().Err() == nil && sent.Datagrams == 0 {
		t.Fatal(sent.err)
	}
	for _, e := range sent.Exporters {
		f.sent[e.Address] = sum(f.sent[e.Address], e)
	}
	f.datagrams += int(sent.Datagrams)
	for end := time.Now().Add(patience); !f.complete(); f.poll(t) {
		if time.Now().After(end) {
			t.Fatalf("of %v, in %d datagrams, %v are stored; the kernel says that %d datagrams found no socket", f.sent, f.datagrams, f.stored, f.node.udp(t, "NoPorts"))
		}
	}
}

func sum(a, b generate.Totals) generate.Totals {
	b.Records += a.Records
	b.Bytes += a.Bytes
	b.Packets += a.Packets
	b.ScaledBytes += a.ScaledBytes
	return b
}

// complete tells whether everything is stored, to the byte, under the address of the
// exporter itself.
func (f *traffic) complete() bool {
	for address, sent := range f.sent {
		if f.stored[address] != sent {
			return false
		}
	}
	return len(f.stored) == len(f.sent)
}

// awaitMore returns when flows have arrived in Kafka that had not before.
func (f *traffic) awaitMore(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); !f.poll(t); {
		if time.Now().After(end) {
			t.Fatal("no flows arrive in Kafka")
		}
	}
}

// poll takes in what has arrived in Kafka, and tells whether there were flows.
func (f *traffic) poll(t *testing.T) (flows bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	f.consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
		if r.Topic == flow.Topic {
			flows = true
			each(t, r.Value, func() *pb.FlowMessage { return new(pb.FlowMessage) }, f.addFlow)
			return
		}
		each(t, r.Value, func() *pb.PipelineCounter { return new(pb.PipelineCounter) }, func(c *pb.PipelineCounter) { f.counted[c.Metric] += c.Increase })
	})
	return flows
}

func (f *traffic) addFlow(m *pb.FlowMessage) {
	address, _ := netip.AddrFromSlice(m.SamplerAddress)
	f.stored[address] = sum(f.stored[address], generate.Totals{Address: address, Records: 1, Bytes: m.Bytes, Packets: m.Packets, ScaledBytes: m.Bytes * m.SamplingRate})
}

// each visits the messages of a record.
func each[M proto.Message](t *testing.T, record []byte, empty func() M, visit func(M)) {
	t.Helper()
	for in := bytes.NewReader(record); in.Len() > 0; {
		m := empty()
		if err := protodelim.UnmarshalFrom(in, m); err != nil {
			t.Fatal(err)
		}
		visit(m)
	}
}

// wantEverythingCounted has the collectors' own counters explain every datagram that was
// sent. The last ones come when the last collector has ended.
func (f *traffic) wantEverythingCounted(t *testing.T) {
	t.Helper()
	counted := func() int {
		return int(f.counted["netmeta_listen_datagrams_total"] + f.counted["netmeta_listen_kernel_drops_total"])
	}
	for end := time.Now().Add(patience); counted() < f.datagrams && time.Now().Before(end); {
		f.poll(t)
	}
	if counted() != f.datagrams {
		t.Errorf("%d datagrams are counted as received or dropped, and %d were sent: %v", counted(), f.datagrams, f.counted)
	}
	for _, loss := range []string{"netmeta_listen_kernel_drops_total", "netmeta_queue_flows_dropped_total", "netmeta_exporter_held_sets_total", "netmeta_decode_errors_total"} {
		if f.counted[loss] != 0 {
			t.Errorf("%s is %.0f", loss, f.counted[loss])
		}
	}
	t.Logf("%d datagrams were sent and received, none was lost", f.datagrams)
}
