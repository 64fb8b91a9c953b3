package queue

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/proctest"
)

func TestMain(m *testing.M) { proctest.Main(m, program) }

// program sends flows to a broker by way of a spool, numbered upwards from first, and
// says again and again how many are in the spool, until it is killed. Told to start
// with 0 it only delivers what is there, and says when.
func program() {
	broker, dir := os.Args[1], os.Args[2]
	first, err := strconv.ParseUint(os.Args[3], 10, 64)
	if err != nil {
		panic(err)
	}
	p, err := Open(Config{Brokers: []string{broker}, Topic: topic, Spool: dir, MessageBytes: 2 * flow.MaxEncodedSize, BatchBytes: 8 * flow.MaxEncodedSize, Linger: 20 * time.Millisecond, Logger: slog.Default()})
	if err != nil {
		panic(err)
	}
	if first == 0 {
		err := p.Flush(context.Background())
		fmt.Println("delivered", err)
		select {}
	}
	spooled := flowsSpooled.WithLabelValues(topic)
	w := p.NewWriter()
	for n := first; ; n += 100 {
		flows(w, n, n+99)
		fmt.Println("spooled", int(testutil.ToFloat64(spooled)))
		time.Sleep(5 * time.Millisecond) // about 20,000 flows a second
	}
}

// said returns the number that the program said last.
func said(p *proctest.Process) int {
	text := p.Log.String()
	text = text[:max(strings.LastIndexByte(text, '\n'), 0)]
	_, number, found := strings.Cut(text[max(strings.LastIndex(text, "spooled "), 0):], " ")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if !found || err != nil {
		return 0
	}
	return n
}

func Test07WhatWasInTheSpoolBeforeAKillDashNineIsStoredOnce(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	k := fakeKafka(t, 3, kfake.DataDir(data), kfake.SyncWrites())
	broker := k.ListenAddrs()[0]
	const run = 1_000_000 // numbers of one process

	var spooled []int
	for i := range 3 {
		child := proctest.Start(t, broker, dir, strconv.Itoa(i*run+1))
		poll(t, time.Minute, "flows to be spooled", func() bool { return said(child) > 5000 })
		if i == 0 { // that one has Kafka at first, so that batches are in flight when it goes
			k.Close()
			reached := said(child)
			poll(t, time.Minute, "flows to be spooled without Kafka", func() bool { return said(child) > reached+5000 })
		}
		child.Kill()
		spooled = append(spooled, said(child))
	}
	fakeKafka(t, 3, kfake.DataDir(data), kfake.SyncWrites(), kfake.Ports(portOf(t, broker)))
	last := proctest.Start(t, broker, dir, "0")
	poll(t, time.Minute, "everything to be delivered", func() bool { return strings.Contains(last.Log.String(), "delivered <nil>") })

	wantStoredOnce(t, []string{broker}, run, spooled)
}

// wantStoredOnce fails unless the topic holds no flow twice, and of each process, whose
// flows are numbered from a multiple of run, as many as it had spooled before its kill.
func wantStoredOnce(t *testing.T, brokers []string, run int, spooled []int) {
	t.Helper()
	s := readBack(t, brokers)
	if s.flows != len(s.distinct) {
		t.Errorf("%d flows are stored, %d of them distinct", s.flows, len(s.distinct))
	}
	for i, n := range spooled {
		for number := range n {
			if !s.distinct[uint64(i*run+number+1)] {
				t.Fatalf("process %d had spooled %d flows; its flow %d is lost", i, n, number+1)
			}
		}
	}
	t.Logf("%v flows were spooled before kills, %d are stored", spooled, s.flows)
}
