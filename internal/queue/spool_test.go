package queue

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/kafkatest"
)

// crash ends p as a kill of its process does: whatever is under way is broken off, and
// nothing more is written.
func crash(p *Producer) {
	p.closing.Do(func() {})
	p.end()
}

// secure returns when all flows appended are in the spool.
func secure(t testing.TB, p *Producer, w *Writer, spooled func() bool) {
	t.Helper()
	w.mu.Lock()
	w.flush()
	w.mu.Unlock()
	p.buffer.hurry()
	poll(t, time.Minute, "the flows to be in the spool", spooled)
}

// faults has 5 % of the acknowledgements lost and 5 % of the leaders moved.
func faults(k *kfake.Cluster) *kfake.FaultHandle {
	return k.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: -1, When: everyNth(20)},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1, When: everyNth(20)},
	)
}

func Test01EveryFlowIsStoredOnceThoughTheProducerIsKilledAcknowledgementsAreLostAndLeadersMove(t *testing.T) {
	k := fakeKafka(t, 3)
	f := faults(k)
	dir := t.TempDir()
	doubtful := counted(flowsDoubtful.WithLabelValues(topic))
	random := rand.New(rand.NewPCG(1, 2))

	const kills, part = 12, 10_000
	recovered := 0
	for i := range uint64(kills) {
		p := open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
		left := counted(flowsAcknowledged.WithLabelValues(topic))
		recovered += p.spool.Stats().Flows
		w := p.NewWriter()
		spooled := counted(flowsSpooled.WithLabelValues(topic))
		flows(w, i*part+1, (i+1)*part)
		secure(t, p, w, func() bool { return spooled() == part })
		// Killed at any point of the delivery, now and then before it began.
		until := random.IntN(part)
		poll(t, time.Minute, "some flows to be stored", func() bool { return left() >= until })
		crash(p)
	}
	p := open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	closeFlushed(t, p)

	if f.Hits() < 10 || recovered == 0 {
		t.Fatalf("%d requests failed and %d flows were recovered; the test shows nothing", f.Hits(), recovered)
	}
	wantExactly(t, readBack(t, k.ListenAddrs()), kills*part)
	if d := doubtful(); d != 0 {
		t.Errorf("%d flows counted as doubtful, want none: every batch kept its identity", d)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*.batches")); len(left) > 0 {
		t.Errorf("files left of an empty spool: %v", left)
	}
}

func Test02WhatWasSpooledWhileKafkaWasAwayIsStoredOnceInOrderAfterAKill(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	k := fakeKafka(t, 1, kfake.DataDir(data), kfake.SyncWrites())
	brokers := k.ListenAddrs()
	k.Close()

	for i := range uint64(3) {
		p := open(t, Config{Brokers: brokers, Spool: dir})
		w := p.NewWriter()
		spooled := counted(flowsSpooled.WithLabelValues(topic))
		flows(w, i*5000+1, i*5000+5000)
		secure(t, p, w, func() bool { return spooled() == 5000 })
		crash(p)
	}
	fakeKafka(t, 1, kfake.DataDir(data), kfake.SyncWrites(), kfake.Ports(portOf(t, brokers[0])))
	p := open(t, Config{Brokers: brokers, Spool: dir})
	closeFlushed(t, p)
	s := readBack(t, brokers)
	wantExactly(t, s, 15_000)
	if !s.inOrder {
		t.Error("flows are stored in another order than they came")
	}
}

func Test03CloseLeavesWhatIsSafeInTheSpoolToTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	log := &lines{}
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir, Logger: log.logger()})
	flows(p.NewWriter(), 1, 1000)
	closeAll(t, p)
	log.wantOnce(t, "flows wait in the spool for the next start")
	log.wantOnce(t, "flows=1000")

	k := fakeKafka(t, 2)
	p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	flows(p.NewWriter(), 1001, 1100)
	closeAll(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), 1100)
}

func Test04AFullSpoolDropsWhatIsConfiguredAndCountsIt(t *testing.T) {
	const n, limit = 50_000, 256 << 10
	for _, c := range []struct {
		drop string
		kept uint64 // a flow that is not dropped
		gone uint64 // and one that is
	}{
		{"oldest", n, 1},
		{"newest", 1, n * 3 / 4},
	} {
		t.Run(c.drop, func(t *testing.T) {
			dir := t.TempDir()
			full := flowsDropped.WithLabelValues(topic, dropSpoolFull)
			dropped, accepted := counted(full), counted(flowsAccepted.WithLabelValues(topic))
			p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir, SpoolBytes: limit, SpoolDrop: c.drop, Compression: "none"})
			w := p.NewWriter()
			for i := uint64(0); i < n; i += 1000 { // at a pace that the buffer can follow
				flows(w, i+1, i+1000)
				poll(t, time.Minute, "the buffer to have room", func() bool { return p.buffer.held.Load() < 1<<20 })
			}
			w.close()
			p.buffer.hurry()
			poll(t, time.Minute, "all flows to be in the spool or dropped", func() bool {
				return accepted() == n && p.spool.Stats().Flows+dropped() == n
			})
			if size := diskUsage(t, dir); size > limit {
				t.Errorf("the spool takes %d bytes, limit is %d", size, limit)
			}
			crash(p)

			k := fakeKafka(t, 2)
			p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
			flush(t, p)
			s := readBack(t, k.ListenAddrs())
			wantExactly(t, s, n-dropped())
			if dropped() == 0 || !s.distinct[c.kept] || s.distinct[c.gone] {
				t.Errorf("dropped %d flows; flow %d is kept: %v, flow %d: %v", dropped(), c.kept, s.distinct[c.kept], c.gone, s.distinct[c.gone])
			}
		})
	}
}

func diskUsage(t testing.TB, dir string) (size int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.batches"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

func Test05ABatchTooLargeIsSplitInTheSpoolAndSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir})
	w := p.NewWriter()
	spooled := counted(flowsSpooled.WithLabelValues(topic))
	flows(w, 1, 5000)
	secure(t, p, w, func() bool { return spooled() == 5000 })
	crash(p)

	k := fakeKafka(t, 2, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "600"}))
	for part := range 5 {
		p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir, Compression: "none"})
		acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))
		until := min(part*200, p.spool.Stats().Flows)
		poll(t, time.Minute, "some flows to be stored", func() bool { return acknowledged() >= until })
		crash(p)
	}
	p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	flush(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), 5000)
}

func Test06ABatchOfAPartitionThatIsGoneIsSentElsewhere(t *testing.T) {
	dir := t.TempDir()
	k := fakeKafka(t, 4)
	outage := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	p := open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	w, spooled := p.NewWriter(), counted(flowsSpooled.WithLabelValues(topic))
	flows(w, 1, 20_000)
	secure(t, p, w, func() bool { return spooled() == 20_000 })
	poll(t, time.Minute, "all partitions to have tried", func() bool { return !p.Ready() && p.Err() != nil })
	left := p.spool.Stats().Flows
	crash(p)
	outage.Remove()

	kafkatest.DeleteTopic(t, k.ListenAddrs(), topic)
	kafkatest.CreateTopic(t, k.ListenAddrs(), topic, 1)
	p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	flush(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), left)
}

// Producer ids of one cluster are those of somebody else in another, which would take
// the batch for one that it has.
func Test08ABatchBegunAtAnotherClusterIsNotTakenForStored(t *testing.T) {
	dir := t.TempDir()
	here, there := fakeKafka(t, 1, kfake.ClusterID("here")), fakeKafka(t, 1, kfake.ClusterID("there"))
	giveFirstProducerID(here)
	giveFirstProducerID(there)
	p := open(t, Config{Brokers: there.ListenAddrs()})
	flows(p.NewWriter(), 1, 10)
	closeAll(t, p)

	here.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	p = open(t, Config{Brokers: here.ListenAddrs(), Spool: dir})
	flows(p.NewWriter(), 11, 20)
	poll(t, time.Minute, "the batch to be tried", func() bool { return p.Err() != nil })
	crash(p)

	doubtful := counted(flowsDoubtful.WithLabelValues(topic))
	p = open(t, Config{Brokers: there.ListenAddrs(), Spool: dir})
	closeFlushed(t, p)
	wantExactly(t, readBack(t, there.ListenAddrs()), 20)
	if doubtful() != 10 {
		t.Errorf("%d flows counted as doubtful, want 10: the other cluster may have them too", doubtful())
	}
}

// giveFirstProducerID has k answer once with the producer id that a new cluster begins
// with.
func giveFirstProducerID(k *kfake.Cluster) {
	k.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		res.ProducerID = 0
		return res, nil, true
	})
}

func Test09ADamagedBatchIsCountedAndCostsNoOther(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir, Compression: "none"})
	w, spooled := p.NewWriter(), counted(flowsSpooled.WithLabelValues(topic))
	flows(w, 1, 50_000)
	secure(t, p, w, func() bool { return spooled() == 50_000 })
	crash(p)
	damageMiddle(t, dir)

	k := fakeKafka(t, 1)
	damaged := counted(flowsDropped.WithLabelValues(topic, dropDamaged))
	p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	closeFlushed(t, p)
	if damaged() == 0 || damaged() > 10_000 {
		t.Errorf("%d flows counted as damaged, want those of one batch", damaged())
	}
	wantExactly(t, readBack(t, k.ListenAddrs()), 50_000-damaged())
}

// damageMiddle changes a byte in the middle of the only file of the spool, which is
// within the data of a batch.
func damageMiddle(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.batches"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v (%v), want one", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err == nil {
		content[len(content)/2] ^= 0xff
		err = os.WriteFile(files[0], content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestASpoolServesOneProcessAndOneTopic(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir})
	flows(p.NewWriter(), 1, 10)
	cfg := p.cfg
	if again, err := Open(cfg); err == nil {
		_ = again.Close(context.Background())
		t.Error("a second producer opened the same spool")
	} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("Open() = %v; want the directory and what to do", err)
	}
	cfg.Topic = "interface-counters/../x"
	other, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if s := other.spool.Stats(); s.Flows != 0 {
		t.Errorf("%d flows of another topic were taken over", s.Flows)
	}
	_ = other.Close(deadline(t, time.Millisecond))
}

func Test10FlowsThatWaitInMemoryGoToADiskThatWorksAgain(t *testing.T) {
	const n = 1000
	dir := t.TempDir()
	p := open(t, Config{Brokers: []string{"127.0.0.1:1"}, Spool: dir})
	mounted, away := filepath.Join(dir, "topic-"+topic), filepath.Join(dir, "away")
	if err := os.Rename(mounted, away); err != nil {
		t.Fatal(err)
	}
	w := p.NewWriter()
	flows(w, 1, n)
	w.close()
	p.buffer.hurry()
	poll(t, time.Minute, "flows to wait in memory", func() bool { return p.spool.Stats().MemoryFlows == n })
	if err := os.Rename(away, mounted); err != nil {
		t.Fatal(err)
	}
	poll(t, time.Minute, "flows to be on the disk", func() bool { s := p.spool.Stats(); return s.MemoryFlows == 0 && s.Flows == n })
	crash(p)

	k := fakeKafka(t, 2)
	p = open(t, Config{Brokers: k.ListenAddrs(), Spool: dir})
	closeFlushed(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), n)
}
