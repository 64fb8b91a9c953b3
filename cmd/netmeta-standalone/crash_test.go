package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

// freeAddress is an address that nothing listens on at present.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// numbered sends flows with consecutive sequence numbers to Kafka until ctx ends,
// and counts those that Kafka has acknowledged.
func numbered(ctx context.Context, p *queue.Producer, acknowledged *atomic.Uint32) {
	const chunk = 2000
	w := p.NewWriter()
	for ctx.Err() == nil {
		first := acknowledged.Load()
		for n := range uint32(chunk) {
			w.Append(&flow.Record{Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, SequenceNum: first + n, Bytes: 1})
		}
		if p.Flush(context.WithoutCancel(ctx)) == nil {
			acknowledged.Store(first + chunk)
		}
	}
}

func TestKilledTwentyTimesUnderLoadKeepsEverythingThatKafkaAcknowledged(t *testing.T) {
	dir := t.TempDir()
	kafka, sflow := freeAddress(t), freeAddress(t)
	args := []string{"--kafka", kafka, "--sflow", sflow}
	i := start(t, dir, args...)

	producer, err := queue.Open(queue.Config{Brokers: []string{kafka}, Topic: flow.Topic})
	if err != nil {
		t.Fatal(err)
	}
	load, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var acknowledged atomic.Uint32
	running.Go(func() { numbered(load, producer, &acknowledged) })
	running.Go(func() {
		// Exporters do not notice that their collector is away.
		generate.Run(load, generate.Options{Protocol: generate.SFlow, To: sflow, Rate: 3000, Exporters: 2, Seed: 1, SamplingRates: []uint32{10}})
	})

	random := rand.New(rand.NewPCG(1, 1))
	var fromExporters float64
	for range 20 {
		target := acknowledged.Load() + 10_000 + random.Uint32N(20_000)
		eventually(t, "flows are acknowledged", func() error {
			if n := acknowledged.Load(); n < target {
				return fmt.Errorf("%d of %d", n, target)
			}
			return nil
		})
		fromExporters += i.metric(t, "netmeta_queue_flows_acknowledged_total", "")
		i.Kill()
		i = start(t, dir, args...)
	}
	end()
	running.Wait()
	if err := producer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := acknowledged.Load()
	i.waitFor(t, fmt.Sprintf("%d\t0\t%d", total, total-1), "SELECT uniqExact(SequenceNum), min(SequenceNum), max(SequenceNum) FROM flows_raw WHERE FlowType = 'IPFIX'")
	i.waitFor(t, "1", fmt.Sprintf("SELECT count() >= %.0f FROM flows_raw WHERE FlowType = 'SFLOW_5'", fromExporters))
	twice, err := i.ask("SELECT count() - uniqExact(SequenceNum) FROM flows_raw WHERE FlowType = 'IPFIX'")
	if err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "1\t1", `
		SELECT
			(SELECT (count(), sum(Bytes * SamplingRate)) FROM flows_raw) = (SELECT (sum(Flows), sum(Bytes)) FROM flows_1m),
			(SELECT (count(), sum(Bytes * SamplingRate)) FROM flows_raw) = (SELECT (sum(Flows), sum(Bytes)) FROM flows_1h)`)
	t.Logf("%d flows acknowledged to a producer and %.0f to the collector, all stored; %s stored twice", total, fromExporters, twice)
}

func TestRestartGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		i := start(t, dir)
		i.waitFor(t, fmt.Sprint(run*100), "SELECT count() FROM flows_raw")
		if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.SFlow, To: i.SFlow, Flows: 100, Rate: 1000, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
			t.Fatal(err)
		}
		i.waitFor(t, fmt.Sprint(run*100+100), "SELECT count() FROM flows_raw")
		i.stop(t)
	}
}
