package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestTailReadsTheNewestMessagesOfEachPartitionInOrder(t *testing.T) {
	broker := fakeKafka(t, 2)
	p := open(t, Config{Brokers: broker.ListenAddrs()})
	w := p.NewWriter()
	for i := range 200 {
		w.Append(&flow.Record{Bytes: uint64(i)})
	}
	if err := p.Flush(deadline(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	read := func(tail Tail) map[int][]int64 {
		t.Helper()
		tail.Brokers, tail.Topic = broker.ListenAddrs(), topic
		offsets := map[int][]int64{}
		if err := tail.Read(t.Context(), func(m Message) bool {
			offsets[m.Partition] = append(offsets[m.Partition], m.Offset)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return offsets
	}
	all := read(Tail{Last: 1 << 20})
	newest := read(Tail{Last: 2})
	for partition, offsets := range all {
		for i, offset := range offsets {
			if offset != int64(i) {
				t.Fatalf("partition %d: offsets %v", partition, offsets)
			}
		}
		want := offsets[max(0, len(offsets)-2):]
		if got := newest[partition]; len(got) != len(want) || got[0] != want[0] {
			t.Errorf("partition %d: newest are %v of %d", partition, got, len(offsets))
		}
	}
	if len(all) == 0 {
		t.Error("nothing was read")
	}
}

func TestTailSaysThatATopicDoesNotExistOrKafkaIsAway(t *testing.T) {
	broker := fakeKafka(t, 1)
	for what, tail := range map[string]Tail{
		"no topic":  {Brokers: broker.ListenAddrs(), Topic: "none"},
		"no broker": {Brokers: []string{"127.0.0.1:1"}, Topic: topic},
	} {
		err := tail.Read(t.Context(), func(Message) bool { return true })
		if err == nil || !strings.Contains(err.Error(), tail.Topic) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
