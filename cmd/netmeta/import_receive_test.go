package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/proctest"
)

const accessKey = "an access key"

// receiver is a netmeta import that listens.
type receiver struct {
	*testing.T
	brokers []string
	args    []string
	process process
	url     atomic.Pointer[string]
}

func newReceiver(t *testing.T, source string, args ...string) *receiver {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	broker.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		time.Sleep(5 * time.Millisecond) // as brokers take that write to a disk
		return nil, nil, false
	})
	r := &receiver{T: t, brokers: broker.ListenAddrs()}
	r.args = append([]string{"import", source, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--output", "json", "--kafka", r.brokers[0], "--state", t.TempDir()}, args...)
	r.start()
	return r
}

func (r *receiver) start() {
	r.Helper()
	r.process = launch(r.T, r.args...)
	scheme := "http://"
	if strings.Contains(strings.Join(r.args, " "), "--tls-cert") {
		scheme = "https://"
	}
	url := scheme + r.process.find(r.T, `receiving flow logs address=(\S+)`)
	r.url.Store(&url)
}

// restart kills the process as kill -9 does and starts it again.
func (r *receiver) restart() {
	r.Helper()
	r.process.Kill()
	r.start()
}

// end ends the process, and returns its report.
func (r *receiver) end() *importer.Report {
	r.Helper()
	r.process.signal(r.T)
	if code := r.process.wait(r.T); code != 0 {
		r.Fatalf("it ends with %d", code)
	}
	_, text, _ := strings.Cut(r.process.Log.String(), "\n{")
	report := &importer.Report{}
	if err := json.Unmarshal([]byte("{"+text), report); err != nil {
		r.Fatal(err, text)
	}
	return report
}

// answers is how many requests were answered so.
func (r *receiver) answers(result string) float64 {
	r.Helper()
	return proctest.Metric(r.T, r.process.find(r.T, `url=(\S+/metrics)`), "netmeta_import_requests_total", `result="`+result+`"`)
}

// request is one of a sender.
type request struct {
	path   string
	header map[string]string
	body   []byte
}

// do sends a request, and returns the status, 0 where there is no answer.
func (r *receiver) do(q request) (int, []byte) {
	h, err := http.NewRequestWithContext(r.Context(), http.MethodPost, *r.url.Load()+q.path, bytes.NewReader(q.body))
	if err != nil {
		r.Error(err)
		return 0, nil
	}
	for name, value := range q.header {
		h.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(h)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, body
}

func (r *receiver) wants(want int, what string, q request) []byte {
	r.Helper()
	status, body := r.do(q)
	if status != want {
		r.Errorf("%s is answered by %d, want %d: %s", what, status, want, body)
	}
	return body
}

// vpcLines are lines of flows that have so many bytes, from first to last.
func vpcLines(first, last int) string {
	var text strings.Builder
	for n := first; n <= last; n++ {
		fmt.Fprintf(&text, "2 123456789010 eni-1 192.0.2.1 192.0.2.%d 443 %d 6 1 %d 1700000000 1700000060 ACCEPT OK\n", n%256, n%60000, n)
	}
	return text.String()
}

func packed(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// firehose is a request of Firehose as its documentation has it.
func firehose(t testing.TB, id string, records ...[]byte) request {
	t.Helper()
	type record struct {
		Data []byte `json:"data"`
	}
	body := struct {
		RequestID string   `json:"requestId"`
		Timestamp int64    `json:"timestamp"`
		Records   []record `json:"records"`
	}{id, 1700000000000, []record{}}
	for _, data := range records {
		body.Records = append(body.Records, record{data})
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return request{"/", map[string]string{
		"Content-Type": "application/json", "X-Amz-Firehose-Protocol-Version": "1.0", "X-Amz-Firehose-Request-Id": id,
		"X-Amz-Firehose-Source-Arn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/flows", "X-Amz-Firehose-Access-Key": accessKey,
	}, b}
}

func (q request) with(name, value string) request {
	header := map[string]string{name: value}
	for k, v := range q.header {
		if k != name {
			header[k] = v
		}
	}
	return request{q.path, header, q.body}
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatFirehoseDeliversIsStoredOnceThoughTheProcessIsKilledAndRequestsComeAgain(t *testing.T) {
	r := newReceiver(t, "aws-vpc", "--access-key-file", secretFile(t, accessKey))
	const requests, each, senders = 3000, 30, 16
	var next, delivered atomic.Int64
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for {
				n := int(next.Add(1))
				if n > requests {
					return
				}
				q := firehose(t, fmt.Sprint("request-", n), []byte(vpcLines((n-1)*each+1, n*each)))
				for status := 0; status != http.StatusOK && t.Context().Err() == nil; {
					if status, _ = r.do(q); status == 0 {
						time.Sleep(5 * time.Millisecond) // it is killed, or not there yet
					}
				}
				delivered.Add(1)
				if n%10 == 0 { // the answer did not arrive
					if status, _ := r.do(q); status != http.StatusOK && status != 0 {
						t.Errorf("a request that comes again is answered by %d", status)
					}
				}
			}
		})
	}
	moments := rand.New(rand.NewPCG(4, 4))
	kills := 0
	for before := int64(0); before < requests-200; kills++ {
		for delivered.Load() < before+200 && delivered.Load() < requests {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(moments.IntN(10_000)) * time.Microsecond)
		before = delivered.Load()
		r.restart()
	}
	sending.Wait()
	t.Logf("killed %d times", kills)
	if kills < 5 {
		t.Error("it was hardly killed: the test shows little")
	}
	r.end()
	sentOnce(t, r.brokers, requests*each)
}

func TestFirehoseRequestsInEveryFormAreTakenAndAllElseIsRefusedAndCounted(t *testing.T) {
	r := newReceiver(t, "aws-vpc", "--access-key-file", secretFile(t, "an older key\n"+accessKey))

	answer := r.wants(200, "lines", firehose(t, "lines", []byte(vpcLines(1, 3)), []byte(strings.TrimSuffix(vpcLines(4, 4), "\n")), nil))
	var a struct {
		RequestID    string
		Timestamp    int64
		ErrorMessage *string
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.RequestID != "lines" || time.Since(time.UnixMilli(a.Timestamp)).Abs() > time.Hour || a.ErrorMessage != nil {
		t.Errorf("the answer is %s", answer)
	}

	// As VPC flow logs publish to Firehose.
	object := func(n int) string {
		b, _ := json.Marshal(map[string]string{"message": strings.TrimSpace(vpcLines(n, n))})
		return string(b)
	}
	r.wants(200, "objects", firehose(t, "objects", []byte(object(5)), []byte(object(6)+"\n"+object(7)+object(8)+"\n")))

	// As CloudWatch Logs does.
	cloudWatch := func(kind string, messages ...string) []byte {
		type event struct {
			ID        string `json:"id"`
			Timestamp int64  `json:"timestamp"`
			Message   string `json:"message"`
		}
		events := []event{}
		for i, m := range messages {
			events = append(events, event{fmt.Sprint(i), 1700000000000, strings.TrimSpace(m)})
		}
		b, err := json.Marshal(map[string]any{"messageType": kind, "owner": "123456789012", "logGroup": "flows", "logStream": "eni-1-all", "subscriptionFilters": []string{"all"}, "logEvents": events})
		if err != nil {
			t.Fatal(err)
		}
		return packed(t, b)
	}
	r.wants(200, "a subscription", firehose(t, "subscription",
		cloudWatch("CONTROL_MESSAGE", "CWL CONTROL MESSAGE: Checking health of destination Firehose."),
		cloudWatch("DATA_MESSAGE", vpcLines(9, 9), vpcLines(10, 10)), cloudWatch("DATA_MESSAGE", vpcLines(11, 11), "no flow log")))

	compressed := firehose(t, "compressed", []byte(vpcLines(12, 12)))
	compressed.body = packed(t, compressed.body)
	r.wants(200, "a compressed request", compressed.with("Content-Encoding", "gzip"))
	r.wants(200, "a request with the older key", firehose(t, "older", []byte(vpcLines(13, 13))).with("X-Amz-Firehose-Access-Key", "an older key"))

	// Records that are broken cost nothing else.
	bomb := packed(t, make([]byte, 80<<20))
	r.wants(200, "a bomb among records", firehose(t, "bomb", bomb, []byte("\x1f\x8b\x08\x00damaged"), []byte(`{"messa`), []byte(vpcLines(14, 14))))
	for range 3 {
		r.wants(200, "a request that comes again", firehose(t, "bomb", bomb, []byte(vpcLines(14, 14))))
	}

	large := firehose(t, "large", bytes.Repeat([]byte("x"), 75<<20))
	good := firehose(t, "refused", []byte(vpcLines(99, 99)))
	packedBomb := good
	packedBomb.body = packed(t, make([]byte, 100<<20))
	nonsense := good
	nonsense.body = []byte(`{"requestId":"refused","records":[{"data":"%%%"}]}`)
	for _, refused := range []struct {
		what   string
		status int
		request
	}{
		{"a wrong key", 401, good.with("X-Amz-Firehose-Access-Key", "wrong")},
		{"no key", 401, good.with("X-Amz-Firehose-Access-Key", "")},
		{"a body of 100 MB", 413, large},
		{"a body that unpacks to 100 MiB", 413, packedBomb.with("Content-Encoding", "gzip")},
		{"a body that is not packed", 400, good.with("Content-Encoding", "gzip")},
		{"an encoding that nobody knows", 415, good.with("Content-Encoding", "br")},
		{"another id in the body", 400, good.with("X-Amz-Firehose-Request-Id", "other")},
		{"what is no base64", 400, nonsense},
		{"no JSON", 400, request{"/", good.header, []byte("hello")}},
		{"no records", 400, request{"/", good.header, []byte("{}")}},
	} {
		body := r.wants(refused.status, refused.what, refused.request)
		var a struct{ ErrorMessage string }
		if err := json.Unmarshal(body, &a); err != nil || a.ErrorMessage == "" {
			t.Errorf("%s: the answer has no errorMessage: %s", refused.what, body)
		}
	}
	for result, want := range map[string]float64{"stored": 6, "again": 3, "unauthorized": 2, "too_large": 2, "malformed": 6} {
		if got := r.answers(result); got != want {
			t.Errorf("%v requests are %s, want %v", got, result, want)
		}
	}
	report := r.end()
	reasons := map[importer.Reason]uint64{}
	for reason, s := range report.Skipped {
		reasons[reason] = s.Records
	}
	if want := map[importer.Reason]uint64{"control": 1, "not_unpacked": 2, "field_count": 2}; report.Sent != 14 || report.Deliveries != 6 || report.Repeated != 3 || fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("the report is %+v, reasons %v, want %v", report, reasons, want)
	}
	sentOnce(t, r.brokers, 14)
}

func TestTheLargestRequestOfFirehoseIsStoredWholly(t *testing.T) {
	r := newReceiver(t, "aws-vpc", "--access-key-file", secretFile(t, accessKey))
	var records [][]byte
	n := 0
	for size := 0; size < 46<<20; { // 62 MB as base64
		lines := vpcLines(n+1, n+5000)
		n, size = n+5000, size+len(lines)
		records = append(records, []byte(lines))
	}
	r.wants(200, "the largest request", firehose(t, "large", records...))
	r.wants(200, "the largest request again", firehose(t, "large", records...))
	if report := r.end(); report.Sent != uint64(n) {
		t.Errorf("%d of %d records are sent", report.Sent, n)
	}
	sentOnce(t, r.brokers, n)
}

func TestRequestsThatWaitAreAnsweredWhenTheProcessIsToldToEnd(t *testing.T) {
	r := newReceiver(t, "aws-vpc", "--access-key-file", secretFile(t, accessKey))
	const senders = 20
	var sending sync.WaitGroup
	var taken [senders]atomic.Bool
	var started atomic.Int64
	for n := range senders {
		q := firehose(t, fmt.Sprint(n), []byte(vpcLines(n+1, n+1)))
		sending.Go(func() {
			started.Add(1)
			status, _ := r.do(q)
			taken[n].Store(status == 200)
		})
	}
	for started.Load() < senders {
		time.Sleep(time.Millisecond)
	}
	report := r.end()
	sending.Wait()
	count := uint64(0)
	for n := range taken {
		if taken[n].Load() {
			count++
		}
	}
	if count != report.Sent {
		t.Errorf("%d requests are answered by 200, %d stored", count, report.Sent)
	}
}
