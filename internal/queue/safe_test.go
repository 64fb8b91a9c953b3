package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestFlowsAreSafeWithKafkaOrWithRoomInTheSpool(t *testing.T) {
	k := fakeKafka(t, 1)
	outage := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	memory := open(t, Config{Brokers: k.ListenAddrs()})
	spooled := open(t, Config{Brokers: k.ListenAddrs(), Spool: t.TempDir()})
	full := open(t, Config{Brokers: k.ListenAddrs(), Spool: t.TempDir(), SpoolBytes: 512 << 10, BatchBytes: 64 << 10, Compression: "none"})
	for _, p := range []*Producer{memory, spooled, full} {
		w := p.NewWriter()
		flows(w, 1, 10)
		poll(t, time.Minute, "the outage to be noticed", func() bool { return !p.Ready() && p.Err() != nil })
		flows(w, 11, 100_000)
	}

	if err := memory.Safe(); err == nil || !strings.Contains(err.Error(), "Not Enough Replicas") {
		t.Errorf("without a spool: %v, want what is wrong with Kafka", err)
	}
	if err := spooled.Safe(); err != nil {
		t.Errorf("with room in the spool: %v", err)
	}
	poll(t, time.Minute, "a full spool to be unsafe", func() bool {
		err := full.Safe()
		return err != nil && strings.Contains(err.Error(), "is full")
	})

	outage.Remove()
	for _, p := range []*Producer{memory, spooled, full} {
		poll(t, time.Minute, "flows to be safe again", func() bool { return p.Safe() == nil && p.Ready() })
		closeAll(t, p)
	}
}
