package queue

import (
	"testing"

	"github.com/segmentio/kafka-go"
)

func TestPartitionsThatFailDifferentlyAreLoggedOnce(t *testing.T) {
	log := &lines{}
	h := newHealth(Config{Logger: log.logger()}, newMeters(topic))
	h.report(3, kafka.NotEnoughReplicas)
	for range 100 {
		h.report(5, kafka.RequestTimedOut)
		h.report(3, kafka.NotEnoughReplicas)
	}
	log.wantOnce(t, "Kafka has too few replicas in sync")
	if h.err() != kafka.NotEnoughReplicas {
		t.Errorf("err() = %v, want that of the first partition", h.err())
	}
	h.report(wholeCluster, kafka.UnknownTopicOrPartition)
	if h.err() != kafka.UnknownTopicOrPartition {
		t.Errorf("err() = %v, want that of the cluster before any partition's", h.err())
	}
}
