package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/geoip/geoiptest"
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

// The second run is killed.
func TestRestartGoesOnWhereItStopped(t *testing.T) {
	dir, known := t.TempDir(), t.TempDir()
	rib, asnames, settings := filepath.Join(known, "rib.tsv"), filepath.Join(known, "names.txt"), filepath.Join(known, "names.cue")
	places := geoiptest.Database(t, map[string]geoip.Place{"198.51.100.0/24": {Country: "NL", City: "Delft"}})
	for path, text := range map[string]string{
		rib: "198.51.100.0/24\t64500\n2001:db8::/32\t64501\n", asnames: "64500 EXAMPLE Example network, DE\n",
		settings: fmt.Sprintf(`geoip: file: %q, interfaceMap: [{device: "192.0.2.1", idx: 7, description: "uplink"}]`, places),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for run := range 3 {
		i := start(t, dir, "--rib", rib, "--asnames", asnames, "--settings", settings)
		i.waitFor(t, "64500\tEXAMPLE Example network\tNL\tDelft\tuplink", `SELECT asOfAddress(parseAddress('198.51.100.7')) AS asn, asName(asn),
			addressCountry(parseAddress('198.51.100.7')), addressCity(parseAddress('198.51.100.7')), interfaceName(parseAddress('192.0.2.1'), 7)`)
		i.waitFor(t, fmt.Sprint(run*100), "SELECT count() FROM flows_raw")
		if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.SFlow, To: i.SFlow, Flows: 100, Rate: 1000, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
			t.Fatal(err)
		}
		i.waitFor(t, fmt.Sprint(run*100+100), "SELECT count() FROM flows_raw")
		if run == 1 {
			i.Kill()
			continue
		}
		i.stop(t)
	}
}
