package push

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb/validate"
)

const testKey = "key"

// newServer returns a server for requests of Firehose.
func newServer(t testing.TB, sink importer.Sink, memory int64, patience time.Duration) *Server {
	t.Helper()
	format, err := awsvpc.Format(awsvpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := importer.Receive(t.Context(), importer.Config{Format: format, Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		receiver.Close(ended)
		sink.Close()
	})
	return &Server{Source: "test", Endpoint: &Firehose{Keys: Secrets{secretOf(testKey)}}, Receiver: receiver, Memory: NewMemory(memory), Patience: patience}
}

// body is that of a request with lines of flows that have so many bytes, from first to last.
func body(t testing.TB, id string, first, last int) []byte {
	t.Helper()
	var text strings.Builder
	for n := first; n <= last; n++ {
		fmt.Fprintf(&text, "2 123456789010 eni-1 192.0.2.1 192.0.2.2 443 50000 6 1 %d 1700000000 1700000060 ACCEPT OK\n", n)
	}
	b, err := json.Marshal(map[string]any{"requestId": id, "timestamp": 1, "records": []map[string][]byte{{"data": []byte(text.String())}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func post(t testing.TB, s *Server, id string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("X-Amz-Firehose-Access-Key", testKey)
	r.Header.Set("X-Amz-Firehose-Request-Id", id)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestWhileKafkaIsAwayRequestsAreToldToComeAgainAndAreStoredOnceWhenItIsBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	sink, err := importer.OpenKafka(queue.Config{Brokers: []string{fmt.Sprint("127.0.0.1:", port)}, Topic: importer.Topic}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, sink, 1<<20, 50*time.Millisecond)
	counted := func(r result) float64 {
		return testutil.ToFloat64(requestsAnswered.WithLabelValues("test", string(r)))
	}
	const each = 1000
	bodies := map[string][]byte{}
	for n := 0; counted(busy) < 3; n++ {
		id := fmt.Sprint(n)
		bodies[id] = body(t, id, n*each+1, (n+1)*each)
		w := post(t, s, id, bodies[id])
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || n > 100 {
			t.Fatalf("without Kafka, request %d is answered by %d %s", n, w.Code, w.Body)
		}
	}
	if counted(waiting) == 0 {
		t.Error("no request waits for Kafka")
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(1, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	for id, body := range bodies {
		for end := time.Now().Add(time.Minute); ; {
			w := post(t, s, id, body)
			if w.Code == http.StatusOK {
				break
			}
			if w.Code != http.StatusServiceUnavailable || time.Now().After(end) {
				t.Fatalf("with Kafka, it is answered by %d %s", w.Code, w.Body)
			}
		}
	}
	if free := s.Memory.free.Load(); free != 1<<20 {
		t.Errorf("%d of %d bytes are free when nothing waits any more", free, 1<<20)
	}
	times := map[uint64]int{}
	tail := queue.Tail{Brokers: broker.ListenAddrs(), Topic: importer.Topic, Last: 1 << 30}
	if err := tail.Read(t.Context(), func(m queue.Message) bool {
		for r := validate.NewReader(bytes.NewReader(m.Value)); ; {
			f, err := r.Next()
			if err == io.EOF {
				return true
			}
			if err != nil {
				t.Fatal(err)
			}
			times[f.Bytes]++
		}
	}); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(len(bodies) * each) {
		if times[n+1] != 1 {
			t.Fatalf("flow %d is stored %d times", n+1, times[n+1])
		}
	}
}

func BenchmarkRequests(b *testing.B) {
	s := newServer(b, importertest.Nowhere{}, 1<<30, 0)
	const lines = 1000
	text := body(b, "ID", 1, lines)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprint(n)
		if w := post(b, s, id, bytes.Replace(text, []byte(`"ID"`), []byte(`"`+id+`"`), 1)); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(n*lines)/b.Elapsed().Seconds(), "lines/s")
}

func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"2 1 eni-1 192.0.2.1", `{"message":"2 1 eni-1"}`, `{"message":"a"}{"message":"b\n"} x`, "\x1f\x8b\x08\x00",
		`{"messageType":"DATA_MESSAGE","logEvents":[{"message":"2 1\n3"}]}`, `{"messageType":"CONTROL_MESSAGE"}`, " {", "{}\n[]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		memory := NewMemory(1 << 20).share()
		part, err := linesOf(data, memory)
		if err == nil && part.Reason == importer.Sent && len(part.Data) > 2*len(data)+(1<<20) {
			t.Errorf("%d bytes become %d", len(data), len(part.Data))
		}
		memory.give()
		if free := memory.free.Load(); free != 1<<20 {
			t.Errorf("%d bytes are free", free)
		}
	})
}
