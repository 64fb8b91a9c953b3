package broker

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestConsumersThatVanishAreGivenUpSoonerThanTheyAsk(t *testing.T) {
	b, err := start(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan time.Duration, 1)
	b.cluster.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		select {
		case asked <- time.Duration(request.(*kmsg.JoinGroupRequest).SessionTimeoutMillis) * time.Millisecond:
		default:
		}
		return nil, nil, false
	})
	c := client(t, b, kgo.ConsumerGroup("clickhouse"), kgo.ConsumeTopics("flow-messages"), kgo.SessionTimeout(45*time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go c.PollFetches(ctx)
	select {
	case timeout := <-asked:
		if timeout != sessionTimeout {
			t.Errorf("the session ends after %s, want %s", timeout, sessionTimeout)
		}
	case <-time.After(time.Minute):
		t.Error("the consumer did not join its group")
	}
}
