package queue

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/kafkatest"
)

// Each of these begins with a topic of its own at the same broker.
func TestGenuineKafka(t *testing.T) {
	bootstrap, broker := kafkatest.Start(t)
	t.Logf("Apache Kafka %s", broker.Version)
	brokers := []string{bootstrap}
	for _, c := range []struct {
		promise string
		test    func(*testing.T, []string, *kafkatest.Broker)
	}{
		{"10 restarted ten times under load it stores every flow once", restartTenTimes},
		{"11 a topic that is deleted and made again gets what came since", recreateTopic},
		{"12 batches above the topic's limit are split", limitMessages},
		{"13 a broker that hangs is waited for", hang},
		{"14 every compression is understood", compress},
	} {
		if !t.Run(c.promise, func(t *testing.T) { c.test(t, brokers, broker) }) {
			return // the topic may be in any state
		}
		kafkatest.DeleteTopic(t, brokers, topic)
	}
}

// load appends about 20,000 flows a second, numbered from 1, until the function that
// it returns is called, which returns how many they were.
func load(p *Producer) (end func() int) {
	ctx, stop := context.WithCancel(context.Background())
	sent := make(chan int)
	go func() {
		w := p.NewWriter()
		n := uint64(0)
		for ; ctx.Err() == nil; n += 100 {
			flows(w, n+1, n+100)
			pause(ctx, 5*time.Millisecond)
		}
		sent <- int(n)
	}()
	return func() int {
		stop()
		return <-sent
	}
}

func restartTenTimes(t *testing.T, brokers []string, broker *kafkatest.Broker) {
	kafkatest.CreateTopic(t, brokers, topic, 4)
	doubtful, acknowledged := counted(flowsDoubtful.WithLabelValues(topic)), counted(flowsAcknowledged.WithLabelValues(topic))
	p := open(t, Config{Brokers: brokers, Spool: t.TempDir()})
	waitReady(t, p)
	end := load(p)
	for range 10 {
		// Killed amid the delivery: some are stored, some are not, some wait for the answer.
		before := acknowledged()
		poll(t, time.Minute, "flows to be stored again", func() bool { return acknowledged() > before+1000 })
		broker.Restart()
	}
	n := end()
	closeFlushed(t, p)
	s := readBack(t, brokers)
	wantExactly(t, s, n)
	if len(s.byPartition) != 4 {
		t.Errorf("flows by partition: %v; want some in each of 4", s.byPartition)
	}
	lags, err := open(t, Config{Brokers: brokers}).Lag(deadline(t, time.Minute), "nobody")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lags {
		if l.Committed != none || l.Lag() != l.End || l.End == 0 {
			t.Errorf("lag of a group that has read nothing is %+v", l)
		}
	}
	t.Logf("%d flows by partition: %v; doubtful: %d", n, s.byPartition, doubtful())
}

func recreateTopic(t *testing.T, brokers []string, _ *kafkatest.Broker) {
	kafkatest.CreateTopic(t, brokers, topic, 4)
	p := open(t, Config{Brokers: brokers, Spool: t.TempDir()})
	w := p.NewWriter()
	flows(w, 1_000_001, 1_010_000)
	flush(t, p)

	kafkatest.DeleteTopic(t, brokers, topic)
	flows(w, 1, 10_000)
	poll(t, time.Minute, "the missing topic to be noticed", func() bool { return !p.Ready() })
	flows(w, 10_001, 20_000)
	kafkatest.CreateTopic(t, brokers, topic, 2)
	flows(w, 20_001, 30_000)
	closeFlushed(t, p)
	wantExactly(t, readBack(t, brokers), 30_000)
}

func limitMessages(t *testing.T, brokers []string, _ *kafkatest.Broker) {
	kafkatest.CreateTopic(t, brokers, topic, 2, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "2000"})
	p := open(t, Config{Brokers: brokers, Spool: t.TempDir(), Compression: "none"})
	flows(p.NewWriter(), 1, 20_000)
	closeFlushed(t, p)
	wantExactly(t, readBack(t, brokers), 20_000)
}

func hang(t *testing.T, brokers []string, broker *kafkatest.Broker) {
	kafkatest.CreateTopic(t, brokers, topic, 2)
	timeouts := counted(retries.WithLabelValues(topic, "connection"))
	acknowledged := counted(flowsAcknowledged.WithLabelValues(topic))
	p := open(t, Config{Brokers: brokers, Spool: t.TempDir(), Timeout: time.Second})
	end := load(p)
	for range 2 {
		before := acknowledged()
		poll(t, time.Minute, "flows to be stored", func() bool { return acknowledged() > before+1000 })
		broker.Freeze()
		seen := timeouts()
		poll(t, time.Minute, "requests to time out and be sent again", func() bool { return timeouts() > seen+2 })
		broker.Thaw()
	}
	n := end()
	closeFlushed(t, p)
	wantExactly(t, readBack(t, brokers), n)
}

func compress(t *testing.T, brokers []string, _ *kafkatest.Broker) {
	kafkatest.CreateTopic(t, brokers, topic, 2)
	next := uint64(1)
	for name := range codecs {
		p := open(t, Config{Brokers: brokers, Compression: name})
		flows(p.NewWriter(), next, next+4999)
		next += 5000
		closeFlushed(t, p)
	}
	wantExactly(t, readBack(t, brokers), int(next-1))
}
