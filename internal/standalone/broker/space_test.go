package broker

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestRecordsAreRefusedWhileTheDiskIsAlmostFullAndTakenAfterwards(t *testing.T) {
	var free atomic.Uint64
	free.Store(spaceReserve)
	b, err := start(t, t.TempDir(), func(o *Options) { o.free = func() (uint64, error) { return free.Load(), nil } })
	if err != nil {
		t.Fatal(err)
	}
	produce(t, b, 0, "before")

	free.Store(spaceReserve - 1)
	c := client(t, b, kgo.RecordRetries(1))
	err = c.ProduceSync(t.Context(), &kgo.Record{Topic: "flow-messages", Value: []byte("meanwhile")}).FirstErr()
	if !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("on a full disk: got %v, want %v", err, kerr.KafkaStorageError)
	}

	if !b.Full() {
		t.Error("the broker does not say that the disk is full")
	}

	free.Store(spaceReserve)
	produce(t, b, 0, "after")
	if b.Full() {
		t.Error("the broker still says that the disk is full")
	}
	if got := consume(t, b, 2); got[0] != "before" || got[1] != "after" {
		t.Errorf("the topic holds %q", got)
	}
}
