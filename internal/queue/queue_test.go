package queue

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/kafkatest"
)

func TestStoresEveryFlowOnceThoughAcknowledgementsAreLostAndLeadersMove(t *testing.T) {
	k := fakeKafka(t, 3)
	faults := k.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: -1, When: everyNth(20)},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1, When: everyNth(20)},
	)
	p := open(t, Config{Brokers: k.ListenAddrs()})
	doubtful := counted(flowsDoubtful.WithLabelValues(topic))

	const n = 100_000
	w := p.NewWriter()
	flows(w, 1, n)
	closeAll(t, p)

	if faults.Hits() < 10 {
		t.Fatalf("only %d requests failed; the test shows nothing", faults.Hits())
	}
	wantExactly(t, readBack(t, k.ListenAddrs()), n)
	if d := doubtful(); d != 0 {
		t.Errorf("%d flows counted as doubtful, want none: the session never changed", d)
	}
}

func TestResumesAfterTheBrokerWasAwayWithoutLossOrDoubles(t *testing.T) {
	dir := t.TempDir()
	k := fakeKafka(t, 2, kfake.DataDir(dir), kfake.SyncWrites())
	brokers := k.ListenAddrs()
	log := &lines{}
	p := open(t, Config{Brokers: brokers, Logger: log.logger()})
	w := p.NewWriter()
	acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))

	flows(w, 1, 1000)
	poll(t, time.Minute, "the first flows to be stored", func() bool { return acknowledged() == 1000 })
	k.Close()
	flows(w, 1001, 5000)
	poll(t, time.Minute, "the outage to be noticed", func() bool {
		what, _ := explain(p.Err())
		return what == "Kafka cannot be reached"
	})
	if p.Ready() {
		t.Error("ready without Kafka")
	}
	fakeKafka(t, 2, kfake.DataDir(dir), kfake.SyncWrites(), kfake.Ports(portOf(t, brokers[0])))
	flows(w, 5001, 6000)
	closeAll(t, p)

	wantExactly(t, readBack(t, brokers), 6000)
	log.wantOnce(t, "Kafka cannot be reached", "Kafka takes flows again")
}

func TestDropsWholeNewMessagesWhenTheBufferIsFullAndCountsTheirFlows(t *testing.T) {
	k := fakeKafka(t, 2)
	outage := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	const limit = 64 << 10
	p := open(t, Config{Brokers: k.ListenAddrs(), Buffer: limit})
	accepted, dropped := counted(flowsAccepted.WithLabelValues(topic)), counted(flowsDropped.WithLabelValues(topic, dropBufferFull))
	acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))

	const n = 20_000
	flows(p.NewWriter(), 1, n)
	poll(t, time.Minute, "all flows to be accepted or dropped", func() bool { return accepted() == n })
	if dropped() == 0 || dropped() == n {
		t.Fatalf("dropped %d of %d flows; want some but not all", dropped(), n)
	}
	if held := p.buffer.held.Load(); held > limit {
		t.Errorf("%d bytes are buffered, limit is %d", held, limit)
	}

	outage.Remove()
	closeAll(t, p)
	s := readBack(t, k.ListenAddrs())
	wantExactly(t, s, n-dropped())
	if acknowledged() != s.flows {
		t.Errorf("counted %d flows as acknowledged, %d are stored", acknowledged(), s.flows)
	}
	for number := range uint64(1000) {
		if !s.distinct[number+1] {
			t.Fatalf("flow %d, one of the oldest, was dropped; want the newest dropped", number+1)
		}
	}
}

func TestManySmallMessagesShareMemoryWhileKafkaIsAway(t *testing.T) {
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Buffer: 1 << 20})
	w := p.NewWriter()
	for n := range uint64(500) {
		flows(w, n+1, n+1)
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	}
	p.buffer.mu.Lock()
	defer p.buffer.mu.Unlock()
	memory := len(p.buffer.waiting) * p.cfg.MessageBytes
	if memory > 2*p.buffer.bytes+p.cfg.MessageBytes {
		t.Errorf("%d bytes of flows take %d bytes of memory; want at most twice as much and a message", p.buffer.bytes, memory)
	}
}

func TestCloseDeliversWhatWasAcceptedAndCountsWhatComesLater(t *testing.T) {
	k := fakeKafka(t, 3)
	p := open(t, Config{Brokers: k.ListenAddrs(), Linger: time.Hour})
	late, accepted := counted(flowsDropped.WithLabelValues(topic, dropClosed)), counted(flowsAccepted.WithLabelValues(topic))
	writers := []*Writer{p.NewWriter(), p.NewWriter(), p.NewWriter()}
	for i, w := range writers {
		flows(w, uint64(i*10+1), uint64(i*10+10))
	}
	closeAll(t, p)
	flows(writers[0], 31, 35)
	flows(p.NewWriter(), 36, 40)

	wantExactly(t, readBack(t, k.ListenAddrs()), 30)
	if late() != 10 {
		t.Errorf("counted %d flows appended after Close, want 10", late())
	}
	if accepted() != 40 {
		t.Errorf("counted %d flows as accepted, want all 40: 30 acknowledged and 10 dropped", accepted())
	}
}

func TestCloseSaysWhyABatchWasNotDelivered(t *testing.T) {
	k := fakeKafka(t, 1)
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	log := &lines{}
	p := open(t, Config{Brokers: k.ListenAddrs(), Logger: log.logger()})
	flows(p.NewWriter(), 1, 10)
	poll(t, time.Minute, "the failure to be noticed", func() bool { return p.Err() != nil })
	if p.Ready() {
		t.Error("ready although every partition fails")
	}
	err := p.Close(deadline(t, 50*time.Millisecond))
	if !errors.Is(err, kafka.NotEnoughReplicas) {
		t.Errorf("Close() = %v; want the broker's reason in it", err)
	}
	log.wantOnce(t, "connected to Kafka", "Kafka has too few replicas in sync")
}

func TestCloseSaysHowManyFlowsWereNotDelivered(t *testing.T) {
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}})
	flows(p.NewWriter(), 1, 123)
	err := p.Close(deadline(t, 50*time.Millisecond))
	if err == nil || !strings.Contains(err.Error(), "123 accepted flows were not delivered") {
		t.Errorf("Close() = %v; want an error that counts 123 flows", err)
	}
}

func TestUsesEveryPartition(t *testing.T) {
	k := fakeKafka(t, 5)
	p := open(t, Config{Brokers: k.ListenAddrs()})
	waitReady(t, p)
	acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))
	w := p.NewWriter()
	// A few flows at a time, as from a small site: even then partitions take turns.
	for i := range 50 {
		flows(w, uint64(i*10+1), uint64(i*10+10))
		poll(t, time.Minute, "the flows to be stored", func() bool { return acknowledged() == (i+1)*10 })
	}
	closeAll(t, p)
	s := readBack(t, k.ListenAddrs())
	wantExactly(t, s, 500)
	for partition := range int32(5) {
		if s.byPartition[partition] < 20 {
			t.Errorf("partition %d holds %d of 500 flows; by partition: %v", partition, s.byPartition[partition], s.byPartition)
		}
	}
}

func TestSplitsWhatTheBrokerFindsTooLarge(t *testing.T) {
	k := fakeKafka(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "600"}))
	p := open(t, Config{Brokers: k.ListenAddrs(), Compression: "none"})
	flows(p.NewWriter(), 1, 2000)
	closeAll(t, p)
	s := readBack(t, k.ListenAddrs())
	wantExactly(t, s, 2000)
	if s.largestValue >= 600 {
		t.Errorf("a message of %d bytes is stored, the broker's limit is 600", s.largestValue)
	}
}

func TestDropsAndCountsASingleFlowThatIsTooLarge(t *testing.T) {
	k := fakeKafka(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20"}))
	p := open(t, Config{Brokers: k.ListenAddrs()})
	dropped := counted(flowsDropped.WithLabelValues(topic, dropTooLarge))
	flows(p.NewWriter(), 1, 7)
	closeAll(t, p)
	if dropped() != 7 {
		t.Errorf("dropped %d flows as too large, want 7", dropped())
	}
}

func TestWaitsForATopicThatAppearsLater(t *testing.T) {
	k, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	log := &lines{}
	p := open(t, Config{Brokers: k.ListenAddrs(), Logger: log.logger()})
	flows(p.NewWriter(), 1, 100)
	poll(t, time.Minute, "the missing topic to be noticed", func() bool { return p.Err() != nil })
	if p.Ready() {
		t.Error("ready without a topic")
	}
	kafkatest.CreateTopic(t, k.ListenAddrs(), topic, 2)
	waitReady(t, p)
	closeAll(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), 100)
	log.wantOnce(t, "Kafka does not have the topic", "Kafka takes flows again")
}

func TestGoesOnWhenTheTopicIsMadeAnewAndWhenItGrows(t *testing.T) {
	k := fakeKafka(t, 3)
	p := open(t, Config{Brokers: k.ListenAddrs()})
	acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))
	w := p.NewWriter()
	flows(w, 1, 3000)
	poll(t, time.Minute, "the first flows to be stored", func() bool { return acknowledged() == 3000 })

	kafkatest.DeleteTopic(t, k.ListenAddrs(), topic)
	kafkatest.CreateTopic(t, k.ListenAddrs(), topic, 1)
	flows(w, 3001, 6000)
	poll(t, time.Minute, "flows to be stored in the new topic", func() bool { return acknowledged() == 6000 })

	ctx := deadline(t, time.Minute)
	if _, err := p.cluster.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 4}}}); err != nil {
		t.Fatal(err)
	}
	next := uint64(6001)
	poll(t, time.Minute, "flows in a partition that was added", func() bool {
		flows(w, next, next+99)
		next += 100
		return endOffsets(ctx, t, k.ListenAddrs())[3] > 0
	})
	closeAll(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), int(next-1)-3000)
}

func TestBeginsANewSessionWhenTheBrokerForgetsIt(t *testing.T) {
	for _, forgotten := range []*kerr.Error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch} {
		t.Run(forgotten.Message, func(t *testing.T) {
			k := fakeKafka(t, 1)
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: forgotten, Count: -1, When: everyNth(7)})
			p := open(t, Config{Brokers: k.ListenAddrs(), BatchBytes: 2 * flow.MaxEncodedSize})
			flows(p.NewWriter(), 1, 20_000)
			closeAll(t, p)
			wantExactly(t, readBack(t, k.ListenAddrs()), 20_000)
		})
	}
}

func TestErrSaysWhatIsMissing(t *testing.T) {
	log := &lines{}
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Logger: log.logger()})
	poll(t, time.Minute, "the missing broker to be noticed", func() bool { return p.Err() != nil })
	if err := p.Err(); !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Err() = %v; want the broker and the reason", err)
	}
	log.wantOnce(t, "Kafka cannot be reached", "brokers=127.0.0.1:1")
}

func TestLagCountsFromTheCommittedOffset(t *testing.T) {
	k := fakeKafka(t, 1)
	ctx := deadline(t, time.Minute)
	p := open(t, Config{Brokers: k.ListenAddrs()})
	w := p.NewWriter()
	flows(w, 1, 1000)
	closeAll(t, p)

	r := kafka.NewReader(kafka.ReaderConfig{Brokers: k.ListenAddrs(), Topic: topic, GroupID: "readers", MaxWait: 50 * time.Millisecond})
	defer r.Close()
	m, err := r.FetchMessage(ctx)
	if err == nil {
		err = r.CommitMessages(ctx, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	lags, err := open(t, Config{Brokers: k.ListenAddrs()}).Lag(ctx, "readers")
	if err != nil {
		t.Fatal(err)
	}
	if l := lags[0]; len(lags) != 1 || l.Committed != 1 || l.Lag() != l.End-1 || l.End < 2 {
		t.Errorf("Lag() = %+v; want one partition with everything but one message to be read", lags)
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no brokers":                    {Topic: topic},
		"no topic":                      {Brokers: []string{"b:1"}},
		"unknown compression":           {Brokers: []string{"b:1"}, Topic: topic, Compression: "lzma"},
		"messages for no two flows":     {Brokers: []string{"b:1"}, Topic: topic, MessageBytes: flow.MaxEncodedSize},
		"batches smaller than messages": {Brokers: []string{"b:1"}, Topic: topic, BatchBytes: 1000},
		"a buffer for no message":       {Brokers: []string{"b:1"}, Topic: topic, Buffer: 1000},
		"a negative linger":             {Brokers: []string{"b:1"}, Topic: topic, Linger: -1},
		"a negative timeout":            {Brokers: []string{"b:1"}, Topic: topic, Timeout: -1},
		"an unknown way to drop":        {Brokers: []string{"b:1"}, Topic: topic, SpoolDrop: "all"},
		"a spool for nothing":           {Brokers: []string{"b:1"}, Topic: topic, Spool: t.TempDir(), SpoolBytes: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Open(cfg); err == nil {
				_ = p.Close(context.Background())
				t.Errorf("Open(%+v) succeeded", cfg)
			}
		})
	}
}
