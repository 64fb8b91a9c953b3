package queue

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/kafkatest"
	"github.com/leoluk/NetMeta/internal/proctest"
)

// The outage lasts for NETMETA_OUTAGE, such as 5m, or some seconds.
func Test16WhatWasSpooledWhileAGenuineKafkaWasAwayIsStoredOnceThoughTheProducerIsKilledTwice(t *testing.T) {
	outage := kafkatest.Outage(t, 6*time.Second)
	bootstrap, broker := kafkatest.Start(t)
	brokers := []string{bootstrap}
	kafkatest.CreateTopic(t, brokers, topic, 4)
	dir := t.TempDir()
	const run = 1_000_000_000 // numbers of one process

	var spooled []int
	for i := range 3 {
		child := proctest.Start(t, bootstrap, dir, strconv.Itoa(i*run+1))
		poll(t, time.Minute, "flows to be spooled", func() bool { return said(child) > 5000 })
		if i == 0 {
			broker.Kill()
		}
		<-time.After(outage / 3)
		if i == 2 { // that one lives to see Kafka again
			broker.Restart()
		}
		child.Kill()
		spooled = append(spooled, said(child))
	}
	last := proctest.Start(t, bootstrap, dir, "0")
	poll(t, time.Minute+outage, "everything to be delivered", func() bool { return strings.Contains(last.Log.String(), "delivered <nil>") })
	wantStoredOnce(t, brokers, run, spooled)
}
