package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/listen"
	"github.com/leoluk/NetMeta/internal/output"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
)

// dial listens with handle on one socket, and returns a connection to it.
func dial(t *testing.T, handle listen.Handler) net.Conn {
	t.Helper()
	l, err := listen.Start("conformance", "127.0.0.1:0", listen.Options{Sockets: 1, Buffer: 1 << 20}, func() listen.Handler { return handle })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	conn, err := net.Dial("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestGoflow2Defect19DatagramsOfAnySizeArriveWhole(t *testing.T) {
	const longest = 65_507 // that IPv4 can carry
	received := make(chan int, 10)
	conn := dial(t, func(datagram []byte, _ netip.AddrPort, _ time.Time) { received <- len(datagram) })
	for _, size := range []int{0, 1, 1472, 9001, 20_000, longest} {
		if _, err := conn.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-received:
			if got != size {
				t.Errorf("%d of %d bytes arrived", got, size)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("a datagram of %d bytes did not arrive", size)
		}
	}
}

func TestGoflow2Defect19OverloadTakesNoMemory(t *testing.T) {
	const offered = 4000 * 9000 // bytes, which goflow2 would keep for later
	release, busy := make(chan struct{}), make(chan struct{}, 1)
	var once sync.Once
	conn := dial(t, func([]byte, netip.AddrPort, time.Time) {
		once.Do(func() { busy <- struct{}{} })
		<-release
	})
	defer close(release)
	datagram := make([]byte, 9000)
	if _, err := conn.Write(datagram); err != nil {
		t.Fatal(err)
	}
	<-busy
	before := heap()
	for range offered / len(datagram) {
		if _, err := conn.Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > offered/10 {
		t.Errorf("%d bytes kept of %d that could not be handled", grown, offered)
	}
}

// heap returns how many bytes are in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestGoflow2Defect21FlowsGetIntoKafkaManyAtATimeAndOnceItIsBack(t *testing.T) {
	const flows = 20_000
	directory := t.TempDir()
	options := broker.Options{Address: "127.0.0.1:0", DataDir: directory, Topics: []broker.Topic{{Name: flow.Topic, Partitions: 1}}}
	kafkaServer, err := broker.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	options.Address = kafkaServer.Address()
	kafkaServer.Close()

	producer, err := queue.Open(queue.Config{Brokers: []string{options.Address}, Topic: flow.Topic, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	writer := producer.NewWriter()
	for i := range flows { // returns though Kafka is away
		writer.Append(&flow.Record{SrcAddr: source.Addr(), Bytes: uint64(i)})
	}
	kafkaServer, err = broker.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer kafkaServer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := producer.Close(ctx); err != nil {
		t.Fatal(err)
	}
	messages, bytes := readTopic(t, options.Address)
	if messages == 0 || messages > flows/100 {
		t.Errorf("%d flows in %d messages of %d bytes, want hundreds in each", flows, messages, bytes)
	}
	if fewest := flows * 3; bytes < fewest {
		t.Errorf("%d bytes of %d flows are in Kafka, want at least %d", bytes, flows, fewest)
	}
}

// readTopic returns how many messages partition 0 of the topic holds, and their bytes.
func readTopic(t *testing.T, address string) (messages, size int) {
	t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{address}, Topic: flow.Topic})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		messages, size = messages+1, size+len(message.Value)
		if message.Offset+1 == message.HighWaterMark {
			return messages, size
		}
	}
}

func TestGoflow2Defect22FilesAreNotWrittenRecordByRecord(t *testing.T) {
	const flows = 20_000
	path := filepath.Join(t.TempDir(), "flows")
	file, err := output.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	writer, before := file.NewWriter(), writeCalls(t)
	for range flows {
		writer.Append(&flow.Record{SrcAddr: source.Addr(), Bytes: 1})
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if calls := writeCalls(t) - before; calls > flows/100 {
		t.Errorf("%d calls of write(2) for %d flows", calls, flows)
	}
	if b, err := os.ReadFile(path); err != nil || len(b) < flows*3 {
		t.Errorf("%d bytes of %d flows in the file, error %v", len(b), flows, err)
	}
}

// writeCalls returns how often this process has called write(2) and the like.
func writeCalls(t *testing.T) (calls int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("SKIPPED: only Linux counts the calls of a process: ", err)
	}
	_, rest, _ := bytes.Cut(b, []byte("syscw: "))
	if _, err := fmt.Sscan(string(rest), &calls); err != nil {
		t.Fatal(err)
	}
	return calls
}
