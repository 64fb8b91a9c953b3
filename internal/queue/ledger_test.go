package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/flow"
)

func openLedger(t testing.TB, dir string, brokers []string) *Ledger {
	t.Helper()
	l, err := OpenLedger(Config{Brokers: brokers, Topic: topic, Timeout: 2 * time.Second}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test has closed it, or has failed
	return l
}

// message returns a message of flows numbered from first to last.
func numbered(first, last uint64) []byte {
	var b []byte
	for n := first; n <= last; n++ {
		b = (&flow.Record{Bytes: n}).AppendDelimited(b)
	}
	return b
}

func resume(t testing.TB, l *Ledger) (notes []string) {
	t.Helper()
	lines, err := l.Resume(deadline(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		notes = append(notes, string(line))
	}
	return notes
}

func send(t testing.TB, l *Ledger, first, last uint64) {
	t.Helper()
	if err := l.Send(deadline(t, time.Minute), json.RawMessage(fmt.Sprint(last)), Content{topic, [][]byte{numbered(first, last)}}); err != nil {
		t.Fatal(err)
	}
}

func TestLedgerRemembersWhatKafkaHas(t *testing.T) {
	k, dir := fakeKafka(t, 3), t.TempDir()
	l := openLedger(t, dir, k.ListenAddrs())
	if notes := resume(t, l); notes != nil {
		t.Errorf("a new ledger has notes: %v", notes)
	}
	for n := uint64(0); n < 10; n++ {
		send(t, l, n*100+1, n*100+100)
	}
	if _, err := OpenLedger(Config{Brokers: k.ListenAddrs(), Topic: topic}, dir); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second process: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	next := openLedger(t, dir, k.ListenAddrs())
	if notes := resume(t, next); len(notes) != 10 || notes[9] != "1000" {
		t.Errorf("notes are %v", notes)
	}
	if err := next.Compact(json.RawMessage(`"all"`)); err != nil {
		t.Fatal(err)
	}
	send(t, next, 1001, 1100)
	_ = next.Close()
	if notes := resume(t, openLedger(t, dir, k.ListenAddrs())); strings.Join(notes, " ") != `"all" 1100` {
		t.Errorf("notes are %v", notes)
	}
	wantExactly(t, readBack(t, k.ListenAddrs()), 1100)
}

// A batch that was stored, whose acknowledgement nobody got: the next process sends it
// again under its identity.
func TestEntryWhoseAcknowledgementWasLostIsStoredOnce(t *testing.T) {
	k, dir := fakeKafka(t, 1), t.TempDir()
	brokers := k.ListenAddrs()
	l := openLedger(t, dir, brokers)
	resume(t, l)
	send(t, l, 1, 100)
	before, err := os.ReadFile(filepath.Join(dir, "positions"))
	if err != nil {
		t.Fatal(err)
	}
	// What a kill leaves behind that comes after Kafka has stored the batch.
	e := &entry{Number: 2, Note: json.RawMessage("200")}
	if err := l.addParts(e, Content{topic, [][]byte{numbered(101, 200)}}); err != nil {
		t.Fatal(err)
	}
	if err := l.deliver(deadline(t, time.Minute), &entry{Number: 2, Note: e.Note, parts: []*part{e.parts[0]}}); err != nil {
		t.Fatal(err)
	}
	if err := writeEntry(dir, e); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "positions"), append(before, `{"number":2,"clu`...), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	next := openLedger(t, dir, brokers)
	if notes := resume(t, next); len(notes) != 2 || notes[1] != "200" {
		t.Errorf("notes are %v", notes)
	}
	send(t, next, 201, 300)
	wantExactly(t, readBack(t, brokers), 300)
}

func TestLedgerWaitsForKafkaAndKeepsWhatWasInterrupted(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	k := fakeKafka(t, 2, kfake.DataDir(data), kfake.SyncWrites())
	brokers := k.ListenAddrs()
	l := openLedger(t, dir, brokers)
	resume(t, l)
	send(t, l, 1, 100)
	k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := l.Send(ctx, json.RawMessage("200"), Content{topic, [][]byte{numbered(101, 200)}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("without Kafka: %v", err)
	}
	_ = l.Close()
	fakeKafka(t, 2, kfake.DataDir(data), kfake.SyncWrites(), kfake.Ports(portOf(t, brokers[0])))
	next := openLedger(t, dir, brokers)
	notes := resume(t, next)
	if len(notes) == 1 { // it had no identity yet: the reader sends it again
		send(t, next, 101, 200)
	}
	wantExactly(t, readBack(t, brokers), 200)
}

func TestLedgerSplitsWhatIsTooLargeAndSaysWhatIsRefusedForEver(t *testing.T) {
	k, dir := fakeKafka(t, 1), t.TempDir()
	k.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if len(produce.Topics[0].Partitions[0].Records) < 3000 {
			return nil, nil, false
		}
		res := produce.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = produce.Topics[0].Topic, produce.Topics[0].TopicID
		partition := kmsg.NewProduceResponseTopicPartition()
		partition.ErrorCode = 10 // MESSAGE_TOO_LARGE
		topic.Partitions = append(topic.Partitions, partition)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	l := openLedger(t, dir, k.ListenAddrs())
	resume(t, l)
	l.encoder = newEncoder(0) // sizes are those of the flows then
	send(t, l, 1, 5000)
	wantExactly(t, readBack(t, k.ListenAddrs()), 5000)
}

func TestStateOfAnotherClusterIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir, fakeKafka(t, 1, kfake.ClusterID("one")).ListenAddrs())
	resume(t, l)
	send(t, l, 1, 10)
	_ = l.Close()
	next := openLedger(t, dir, fakeKafka(t, 1, kfake.ClusterID("other")).ListenAddrs())
	resume(t, next)
	if err := next.Send(deadline(t, time.Minute), json.RawMessage("1"), Content{topic, [][]byte{numbered(11, 20)}}); !errors.Is(err, ErrOtherCluster) {
		t.Errorf("got %v, want %v", err, ErrOtherCluster)
	}
}

func TestDamagedStateIsRefusedWithWhatToDo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, entryName), []byte("not an entry at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLedger(Config{Brokers: []string{"127.0.0.1:1"}, Topic: topic}, dir); err == nil || !strings.Contains(err.Error(), "is damaged: remove it") {
		t.Errorf("a damaged entry: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, entryName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "positions"), []byte("{}\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLedger(Config{Brokers: []string{"127.0.0.1:1"}, Topic: topic}, dir); err == nil || !strings.Contains(err.Error(), "damaged at byte 3") {
		t.Errorf("damaged positions: %v", err)
	}
}

// The topic that a ledger is opened for is not the only one, and may get nothing.
func TestLedgerSendsToTopicsThatItWasNotOpenedFor(t *testing.T) {
	k := fakeKafka(t, 1)
	l, err := OpenLedger(Config{Brokers: k.ListenAddrs(), Topic: "another", Timeout: 2 * time.Second}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	resume(t, l)
	send(t, l, 1, 100)
	wantExactly(t, readBack(t, k.ListenAddrs()), 100)
}
