package collect_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/queue"
)

func TestWithoutKafkaFlowsAreReceivedKeptWithinTheBufferAndDeliveredLater(t *testing.T) {
	port := freePort(t)
	const limit = 1 << 20
	p := openQueue(t, queue.Config{Brokers: []string{port.String()}, Buffer: limit})
	accepted := counted(t, "netmeta_queue_flows_accepted_total")
	acknowledged := counted(t, "netmeta_queue_flows_acknowledged_total")
	dropped := counted(t, "netmeta_queue_flows_dropped_total")
	kernelDrops := counted(t, "netmeta_listen_kernel_drops_total")
	c := startCollector(t, p)
	sendAll(t, c, 1000, 10_000) // so that exporters' state does not count as growth below
	heap := heapInUse()

	sendAll(t, c, 30_000, 30_000)
	const all = 4 * 31_000
	poll(t, "everything to be received without Kafka", func() bool { return accepted() == all })
	if kernelDrops() != 0 {
		t.Errorf("the kernel dropped %d datagrams: the collector did not keep receiving", kernelDrops())
	}
	if p.Ready() {
		t.Error("ready without Kafka")
	}
	if held := metric(t, "netmeta_queue_buffered_bytes"); held > limit || held < limit/2 {
		t.Errorf("%d bytes wait, want nearly the limit %d", held, limit)
	}
	if grown := heapInUse() - heap; grown > 2*limit {
		t.Errorf("memory grew by %d bytes, the buffer's limit is %d", grown, limit)
	}
	waiting := all - dropped()
	if acknowledged() != 0 || waiting <= 0 || waiting == all {
		t.Fatalf("%d of %d flows wait, %d are acknowledged; want some waiting, some dropped, none acknowledged", waiting, all, acknowledged())
	}

	k := fakeKafka(t, kfake.Ports(port.Port))
	poll(t, "the flows that waited to be stored", func() bool { return acknowledged() == waiting })
	late := sendAll(t, c, 1000, 10_000)
	c.Stop()
	closeQueue(t, p)
	if accepted() != acknowledged()+dropped() || acknowledged() != waiting+late.records() {
		t.Errorf("accepted %d, acknowledged %d, dropped %d; %d waited and %d came later", accepted(), acknowledged(), dropped(), waiting, late.records())
	}
	if n := readTopic(t, k.ListenAddrs(), acknowledged()).records(); n != acknowledged() {
		t.Errorf("%d flows are stored, %d acknowledged", n, acknowledged())
	}
	if held := metric(t, "netmeta_queue_buffered_bytes"); held != 0 {
		t.Errorf("%d bytes are said to wait after everything was delivered", held)
	}
}

// freePort is an address where nothing listens at present.
func freePort(t *testing.T) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr)
}

func heapInUse() int {
	runtime.GC()
	runtime.GC() // empties what pools kept over the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
