//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// relay is a series of collectors that have the same directory.
type relay struct {
	t       *testing.T
	brokers []string
	args    []string
	address string // of the sockets that they hand on
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return &relay{t: t, brokers: k.ListenAddrs(), args: []string{"--handover", "--kafka", strings.Join(k.ListenAddrs(), ","), "--state-dir", t.TempDir()}}
}

// next starts the next collector, and returns when it receives.
func (r *relay) next(args ...string) process {
	r.t.Helper()
	p := launchCollector(r.t, append(r.args, args...)...)
	r.address = p.find(r.t, `listener=netflow-legacy address=(\S+)`)
	p.find(r.t, `serving (url)=`)
	return p
}

// end has a collector end in peace.
func (r *relay) end(p process) {
	r.t.Helper()
	p.signal(r.t)
	if code := p.wait(r.t); code != 0 {
		r.t.Errorf("exit code %d, want 0:\n%s", code, p.Log)
	}
}

// sendSteadily sends so little that any socket buffer holds a second of it, until ctx
// ends, and returns the number of flows.
func (l *load) sendSteadily(ctx context.Context, t *testing.T) (sent uint32) {
	for ctx.Err() == nil {
		l.send(t, 1)
		time.Sleep(5 * time.Millisecond)
	}
	return l.sent.Load()
}

// send sends so many datagrams.
func (l *load) send(t *testing.T, datagrams int) {
	for range datagrams {
		first := l.sent.Add(perDatagram) - perDatagram + 1
		if _, err := l.conn.WriteTo(netFlow5(first), l.to); err != nil {
			t.Errorf("send the flows from %d on: %v", first, err)
		}
	}
}

// wantEach fails unless each of the flows that were sent is stored once.
func (r *relay) wantEach(sent uint32) {
	r.t.Helper()
	times := map[uint64]int{}
	consume(r.t, r.brokers, func() bool { return len(times) < int(sent) }, func(_ *kgo.Record, m *pb.FlowMessage) { times[m.Bytes]++ })
	for number := uint64(1); number <= uint64(sent); number++ {
		if times[number] != 1 {
			r.t.Fatalf("flow %d of %d is stored %d times", number, sent, times[number])
		}
	}
}

func TestNothingIsLostWhileCollectorsTakeTurns(t *testing.T) {
	r := newRelay(t)
	first := r.next()
	address := r.address
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sent, exporter := make(chan uint32, 1), newLoad(t, address)
	go func() { sent <- exporter.sendSteadily(ctx, t) }()

	second := r.next()
	first.find(t, "(standing by)")
	r.end(first)
	second.find(t, "(the collector before this one has ended)")
	third := r.next()
	second.find(t, "(standing by)")
	// Rolled back: the new one is told to go, and the old one is not.
	r.end(third)
	second.find(t, "(going on in its place)")
	if r.address != address {
		t.Errorf("the third is at %s, the first was at %s", r.address, address)
	}
	stop()
	r.end(second)
	r.wantEach(<-sent)
}

func TestTheOneBeforeGoesOnWhereOneThatWasKilledHasLeftOff(t *testing.T) {
	r := newRelay(t)
	first := r.next()
	second := r.next()
	first.find(t, "(standing by)")
	exporter := newLoad(t, r.address)
	exporter.send(t, 10)
	r.wantEach(exporter.sent.Load())

	// Nobody reads when these arrive.
	if err := second.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitStopped(t, second.Cmd.Process.Pid)
	exporter.send(t, 50)
	second.Kill()
	first.find(t, "(going on in its place)")
	exporter.send(t, 10)
	r.end(first)
	r.wantEach(exporter.sent.Load())
}

// waitStopped waits until no thread of a process runs any more: they stop one by one.
func waitStopped(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("threads of process %d: %v, %v", pid, threads, err)
		}
		running := slices.ContainsFunc(threads, func(thread string) bool {
			stat, err := os.ReadFile(thread)
			_, state, _ := bytes.Cut(stat, []byte(") "))
			return err == nil && !bytes.HasPrefix(state, []byte("T"))
		})
		if !running {
			return
		}
	}
	t.Fatalf("process %d does not stop", pid)
}

func TestAThirdCollectorKeepsWhatTheSecondHasHandedOver(t *testing.T) {
	r := newRelay(t)
	first := r.next()
	second := r.next()
	third := r.next()
	exporter := newLoad(t, r.address)
	exporter.send(t, 10)
	r.end(second) // the first is told, and must not go on
	exporter.send(t, 10)
	r.end(first)
	exporter.send(t, 10)
	r.end(third)
	r.wantEach(exporter.sent.Load())
	if strings.Contains(first.Log.String(), "going on") {
		t.Errorf("the first has gone on although there was a third:\n%s", first.Log)
	}
}

func TestAddressThatIsNotWantedAnyMoreIsGivenUp(t *testing.T) {
	r := newRelay(t)
	first := r.next()
	before := r.address
	// The same port, but not the same address as it is written.
	_, port, err := net.SplitHostPort(before)
	if err != nil {
		t.Fatal(err)
	}
	second := r.next("--netflow-legacy", "localhost:"+port)
	if r.address != before {
		t.Errorf("it is at %s, the first was at %s", r.address, before)
	}
	exporter := newLoad(t, r.address)
	exporter.send(t, 10)
	r.end(first)
	r.end(second)
	r.wantEach(exporter.sent.Load())
}

func TestHandoverIsRefusedWhereItCannotBe(t *testing.T) {
	for _, c := range []struct {
		promise, want string
		args          []string
	}{
		{"without a directory", "--handover needs --state-dir", []string{"--handover"}},
		{"to a file", "[handover output]", []string{"--handover", "--state-dir", t.TempDir(), "--output", "-"}},
	} {
		t.Run(c.promise, func(t *testing.T) {
			code, written := run(t, append([]string{"collect"}, c.args...)...)
			if code == 0 || !strings.Contains(written, c.want) {
				t.Errorf("exit code %d, want %q:\n%s", code, c.want, written)
			}
		})
	}
}
