package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/publish"
	"github.com/leoluk/NetMeta/pb/validate"
)

func broker(t *testing.T) *kfake.Cluster {
	t.Helper()
	b, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "flow-messages"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func open(t *testing.T, cfg publish.Config) *publish.Publisher {
	t.Helper()
	p, err := publish.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Close(ended) // the test has closed it, or has failed
	})
	return p
}

func flow(n uint64) *pb.FlowMessage {
	return &pb.FlowMessage{
		TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, SamplerAddress: []byte{192, 0, 2, 1},
		SrcAddr: []byte{198, 51, 100, 1}, DstAddr: []byte{203, 0, 113, 1}, Etype: 0x0800, Proto: 17, Bytes: n, Packets: 1,
	}
}

// stored returns the bytes of all flows in Kafka, summed up, and their number.
func stored(t *testing.T, b *kfake.Cluster) (sum uint64, n int) {
	t.Helper()
	tail := queue.Tail{Brokers: b.ListenAddrs(), Topic: "flow-messages", Last: 1 << 30}
	err := tail.Read(t.Context(), func(m queue.Message) bool {
		for r := validate.NewReader(bytes.NewReader(m.Value)); ; n++ {
			f, err := r.Next()
			if err == io.EOF {
				return true
			}
			if err != nil {
				t.Fatal(err)
			}
			sum += f.Bytes
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum, n
}

func TestFlowsAreInKafkaOnceWhenClosed(t *testing.T) {
	b := broker(t)
	p := open(t, publish.Config{Brokers: b.ListenAddrs(), Memory: 512 << 10}) // far less than what is sent
	m, want := flow(0), uint64(0)
	const flows = 20_000
	for i := range uint64(flows) {
		m.Bytes = 1000 + i // the message is reused
		want += m.Bytes
		if err := p.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sum, n := stored(t, b); sum != want || n != flows {
		t.Errorf("%d flows with %d bytes are stored, want %d with %d", n, sum, flows, want)
	}
}

func TestFlowThatWouldBeStoredAsSomethingElseIsRefusedAndCostsNoOther(t *testing.T) {
	b := broker(t)
	p := open(t, publish.Config{Brokers: b.ListenAddrs()})
	text, long, binary := flow(10), flow(20), flow(30)
	text.SrcAddr = []byte("198.51.100.1")
	long.ASPath = make([]uint32, 10_000)
	binary.ApplicationName = "\xff"
	var refused *publish.RefusedError
	if err := p.Send(t.Context(), text); !errors.As(err, &refused) || refused.Problems[0].Field != "SrcAddr" {
		t.Errorf("an address as text: %v", err)
	}
	if err := p.Send(t.Context(), long); err == nil || !strings.Contains(err.Error(), "shorten ASPath") {
		t.Errorf("a flow that is too long: %v", err)
	}
	if err := p.Send(t.Context(), binary); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("text that is none: %v", err)
	}
	if err := p.Send(t.Context(), &pb.FlowMessage{Bytes: 1}); err != nil {
		t.Errorf("a flow that is doubtful: %v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sum, n := stored(t, b); sum != 1 || n != 1 {
		t.Errorf("%d flows with %d bytes are stored, want the last one", n, sum)
	}
	strict := open(t, publish.Config{Brokers: b.ListenAddrs(), Doubtful: true})
	if err := strict.Send(t.Context(), &pb.FlowMessage{Bytes: 1}); !errors.As(err, &refused) {
		t.Errorf("a doubtful flow, with Doubtful: %v", err)
	}
}

func TestSendWaitsWhileKafkaIsAwayAndSaysWhyItGaveUp(t *testing.T) {
	b := broker(t)
	gone := b.ListenAddrs()
	b.Close()
	p := open(t, publish.Config{Brokers: gone, Memory: 256 << 10})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var err error
	for n := 0; err == nil && n < 1_000_000; n++ {
		err = p.Send(ctx, flow(1))
	}
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connect") {
		t.Errorf("got %v, want the end of the wait and why", err)
	}
	if p.Err() == nil {
		t.Error("Err knows of nothing")
	}
}

func TestFlowsInTheSpoolAreSentByTheNextProcess(t *testing.T) {
	b := broker(t)
	spool := t.TempDir()
	gone := broker(t)
	address := gone.ListenAddrs()
	gone.Close()
	p := open(t, publish.Config{Brokers: address, Spool: spool})
	for range 100 {
		if err := p.Send(t.Context(), flow(7)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := open(t, publish.Config{Brokers: b.ListenAddrs(), Spool: spool})
	if err := next.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := next.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sum, n := stored(t, b); sum != 700 || n != 100 {
		t.Errorf("%d flows with %d bytes are stored, want 100 with 700", n, sum)
	}
}

// Who has another client of Kafka needs the messages alone.
func TestMessagesComeWithoutKafka(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/leoluk/NetMeta/pb", "github.com/leoluk/NetMeta/pb/validate").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") &&
			!strings.HasPrefix(dep, "google.golang.org/protobuf/") && !strings.HasPrefix(dep, "github.com/leoluk/NetMeta/pb") {
			t.Errorf("pb needs %s", dep)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "flow-messages"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	p, err := publish.Open(publish.Config{Brokers: c.ListenAddrs()})
	if err != nil {
		b.Fatal(err)
	}
	m := flow(1500)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Send(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	_ = p.Close(b.Context())
}
