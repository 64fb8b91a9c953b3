package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/kafkatest"
	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

const (
	// perDatagram is how many flows a datagram of NetFlow v5 holds at most.
	perDatagram = 30
	// loadRate is in flows a second.
	loadRate = 20_000
)

// load is an exporter of NetFlow v5 that does not notice whether anybody listens. Its
// flows are numbered from 1, in their field for bytes.
type load struct {
	conn net.PacketConn
	to   net.Addr
	sent atomic.Uint32 // number of the last flow that may have been sent
}

func newLoad(t *testing.T, to string) *load {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0") // not connected: nothing is refused
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	address, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	return &load{conn: conn, to: address}
}

// run sends at loadRate until ctx ends. What it missed when it was held up it makes up
// for, but for what does not fit into the collector's socket.
func (l *load) run(ctx context.Context) error {
	const most = loadRate / 2
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for credit, last := 0.0, time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		now := time.Now()
		credit, last = min(credit+loadRate*now.Sub(last).Seconds(), most), now
		for ; credit >= perDatagram; credit -= perDatagram {
			first := l.sent.Add(perDatagram) - perDatagram + 1
			if _, err := l.conn.WriteTo(netFlow5(first), l.to); err != nil {
				return fmt.Errorf("send the flows from %d on: %w", first, err)
			}
		}
	}
}

// netFlow5 returns a full datagram of flows numbered from first.
func netFlow5(first uint32) []byte {
	const header, record = 24, 48
	datagram := make([]byte, header+perDatagram*record)
	now := time.Now()
	binary.BigEndian.PutUint16(datagram, 5)
	binary.BigEndian.PutUint16(datagram[2:], perDatagram)
	binary.BigEndian.PutUint32(datagram[4:], 3_600_000) // ms since the exporter's start
	binary.BigEndian.PutUint32(datagram[8:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(datagram[16:], first)
	for i := range uint32(perDatagram) {
		r := datagram[header+i*record:]
		copy(r, []byte{198, 18, byte(i), 1, 198, 19, byte(i), 2})
		binary.BigEndian.PutUint32(r[16:], 1) // packets
		binary.BigEndian.PutUint32(r[20:], first+i)
		binary.BigEndian.PutUint32(r[24:], 3_599_000)
		binary.BigEndian.PutUint32(r[28:], 3_600_000)
		r[38] = 17 // UDP
	}
	return datagram
}

// life is one run of netmeta collect. Numbers are those of flows.
type life struct {
	process
	metrics string // URL
	after   uint32 // the last that had been sent when the life before this one had ended
	heard   uint32 // from this one on, somebody listened
	spooled uint32 // how many were in the spool, or had been, shortly before the end
	last    uint32 // the last that had been sent when this life had ended
}

func startLife(t *testing.T, after uint32, args ...string) *life {
	t.Helper()
	l := &life{process: launchCollector(t, args...), after: after}
	l.metrics = l.find(t, `serving url=(\S+)`)
	return l
}

// kill ends the process as kill -9 does, at once after it was asked what it has spooled.
func (l *life) kill(t *testing.T, from *load) {
	t.Helper()
	l.spooled = l.metric(t, "netmeta_queue_flows_spooled_total")
	l.wantNoDrops(t)
	l.Kill()
	l.last = from.sent.Load()
}

// wantNoDrops fails where flows did not get into the queue, or out of it.
func (l *life) wantNoDrops(t *testing.T) {
	t.Helper()
	for _, name := range []string{"netmeta_listen_kernel_drops_total", "netmeta_queue_flows_dropped_total", "netmeta_decode_errors_total"} {
		if n := l.metric(t, name); n != 0 {
			t.Fatalf("%s is %d", name, n)
		}
	}
}

// metric sums a counter. No interface counters are published, so all series are of flows.
func (l *life) metric(t *testing.T, name string) uint32 {
	t.Helper()
	return uint32(proctest.Metric(t, l.metrics, name, ""))
}

// until waits until the condition holds.
func until(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// The outage lasts for NETMETA_OUTAGE, such as 5m, or some seconds.
func TestWhatCollectHadSpooledWhileAGenuineKafkaWasAwayIsStoredOnceThoughItIsKilledTwice(t *testing.T) {
	outage := kafkatest.Outage(t, 18*time.Second)
	bootstrap, kafka := kafkatest.Start(t)
	brokers := []string{bootstrap}
	kafkatest.CreateTopic(t, brokers, flow.Topic, 4)
	args := []string{"--kafka", bootstrap, "--counters-topic", "", "--pipeline-topic", "", "--state-dir", t.TempDir()}

	first := startLife(t, 0, args...)
	address := first.find(t, `listener=netflow-legacy address=(\S+)`)
	args = append(args, "--netflow-legacy", address)
	exporter := newLoad(t, address)
	first.heard = 1
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sending := make(chan error, 1)
	go func() { sending <- exporter.run(ctx) }()

	// Kafka goes while batches are on their way to it.
	until(t, time.Minute, "flows to be stored", func() bool { return first.metric(t, "netmeta_queue_flows_acknowledged_total") > loadRate })
	kafka.Kill()
	<-time.After(outage / 3)
	first.kill(t, exporter)

	second := startLife(t, first.last, args...)
	second.heard = exporter.sent.Load() + 1
	<-time.After(outage / 3)
	second.kill(t, exporter)

	third := startLife(t, second.last, args...)
	third.heard = exporter.sent.Load() + 1
	recovered := third.metric(t, "netmeta_queue_flows_recovered_total")
	<-time.After(outage / 3)
	kafka.Restart()
	acknowledged := func() uint32 { return third.metric(t, "netmeta_queue_flows_acknowledged_total") }
	until(t, time.Minute+outage, "what the killed ones had spooled to be delivered", func() bool { return acknowledged() > recovered })
	stop()
	if err := <-sending; err != nil {
		t.Fatal(err)
	}
	third.last = exporter.sent.Load()
	third.signal(t)
	if code := third.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}

	stored := newTally(t, brokers, third.last)
	stored.wantLife(t, "killed first", first)
	stored.wantLife(t, "killed second", second)
	third.spooled = third.last - third.heard + 1 // it ended in peace: everything has to be there
	stored.wantLife(t, "not killed", third)
	t.Logf("Kafka was away for %v: of %d flows sent, %d are stored; %d had to be sent by another process than had received them", outage, third.last, stored.flows, recovered)
}

// tally is what a topic holds.
type tally struct {
	times []uint8 // by number: how often it is stored
	flows uint32
}

// newTally reads the topic to its end. Flows have numbers up to last.
func newTally(t *testing.T, brokers []string, last uint32) tally {
	t.Helper()
	s := tally{times: make([]uint8, last+1)}
	missing := ends(t, brokers)
	consume(t, brokers, func() bool { return len(missing) > 0 }, func(r *kgo.Record, m *pb.FlowMessage) {
		if r.Offset+1 >= missing[int(r.Partition)] {
			delete(missing, int(r.Partition))
		}
		if m.Bytes == 0 || m.Bytes > uint64(last) {
			t.Fatalf("partition %d, offset %d: flow %d was never sent", r.Partition, r.Offset, m.Bytes)
		}
		s.flows++
		s.times[m.Bytes]++
	})
	for number, times := range s.times {
		if times > 1 {
			t.Fatalf("flow %d is stored %d times", number, times)
		}
	}
	return s
}

// ends returns the end of each partition that holds something.
func ends(t *testing.T, brokers []string) map[int]int64 {
	t.Helper()
	p, err := queue.Open(queue.Config{Brokers: brokers, Topic: flow.Topic})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	lags, err := p.Lag(t.Context(), "nobody")
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]int64{}
	for _, l := range lags {
		if l.End > l.Start {
			ends[l.Partition] = l.End
		}
	}
	return ends
}

// wantLife fails unless what a process has received is stored without a hole: from the
// first flow that was sent when it listened, as many as it had spooled before its end.
// Exporter, socket and spool keep the order.
func (s tally) wantLife(t *testing.T, name string, l *life) {
	t.Helper()
	from := l.after + 1
	for from <= l.last && s.times[from] == 0 {
		from++
	}
	if from > l.heard {
		t.Errorf("%s: the first flow stored is %d, it listened from %d on", name, from, l.heard)
		return
	}
	to := from
	for to < l.last && s.times[to+1] != 0 {
		to++
	}
	if n := to - from + 1; n < l.spooled {
		t.Errorf("%s: flows %d to %d are stored, and %d is missing: %d of the %d that it had spooled", name, from, to, to+1, n, l.spooled)
	}
	for number := to + 1; number <= l.last; number++ {
		if s.times[number] != 0 {
			t.Errorf("%s: flow %d is missing though %d is stored", name, to+1, number)
			return
		}
	}
	t.Logf("%s: %d flows sent since the last one's end, the first %d before it listened; %d spooled before its end, %d stored, %d lost with its memory (%v of the load)",
		name, l.last-l.after, from-l.after-1, l.spooled, to-from+1, l.last-to, time.Duration(l.last-to)*time.Second/loadRate)
}
