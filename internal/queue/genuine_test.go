package queue

import (
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/kafkatest"
)

func TestGenuineKafkaStoresEveryFlowOnceThoughItIsKilled(t *testing.T) {
	bootstrap, broker := kafkatest.Start(t)
	t.Logf("Apache Kafka %s", broker.Version)
	brokers := []string{bootstrap}
	kafkatest.CreateTopic(t, brokers, topic, 4)
	p := open(t, Config{Brokers: brokers})
	waitReady(t, p)
	doubtful, acknowledged := counted(flowsDoubtful.WithLabelValues(topic)), counted(flowsAcknowledged.WithLabelValues(topic))

	const n, kills = 200_000, 4
	w := p.NewWriter()
	for i := range uint64(kills) {
		first := i * n / kills
		flows(w, first+1, first+n/kills)
		// Killed amid the delivery: some are stored, some are not, some wait for the answer.
		poll(t, time.Minute, "a first acknowledgement of this part", func() bool { return acknowledged() > int(first) })
		broker.Restart()
	}
	closeAll(t, p)

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
	t.Logf("flows by partition: %v; doubtful: %d", s.byPartition, doubtful())
}
