package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

func TestDiskThatIsTooFullCostsTheOldestDayAndIsSaid(t *testing.T) {
	dir := t.TempDir()
	i := start(t, dir)
	producer, err := queue.Open(queue.Config{Brokers: []string{i.Kafka}, Topic: flow.Topic})
	if err != nil {
		t.Fatal(err)
	}
	w := producer.NewWriter()
	for n := range 200 {
		received := time.Now().Add(-time.Duration(n%2) * 48 * time.Hour)
		w.Append(&flow.Record{Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(received.Unix()), SamplingRate: 10, Bytes: 1})
	}
	if err := producer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "200", "SELECT sum(Flows) FROM flows_1h")
	i.stop(t)

	i = start(t, dir, "--retention-disk", "0.001%", "--retention-minutes", "90d", "--retention-hours", "2y")
	i.waitFor(t, "100", "SELECT count() FROM flows_raw")
	i.waitFor(t, "2000", "SELECT sum(Bytes) FROM flows_hours") // the sums stay
	i.waitFor(t, "1\t1", `
		SELECT countIf(name = 'flows_1m' AND engine_full LIKE '%toIntervalSecond(7776000)%'), countIf(name = 'flows_1h' AND engine_full LIKE '%toIntervalSecond(63072000)%')
		FROM system.tables WHERE database = 'default'`)
	eventually(t, "it is said that the disk is still too full", func() error {
		if !strings.Contains(i.Log.String(), "--retention-disk cannot be kept") {
			return errors.New(i.Log.String())
		}
		return nil
	})
	if !strings.Contains(i.Log.String(), "the oldest flows were dropped") {
		t.Errorf("the log does not say what was dropped:\n%s", i.Log)
	}
	if n := i.metric(t, "netmeta_retention_dropped_flows_total", `reason="disk"`); n != 100 {
		t.Errorf("%v flows are counted as dropped, want 100", n)
	}
}
