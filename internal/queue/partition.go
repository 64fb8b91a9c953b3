package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leoluk/NetMeta/internal/spool"
)

// patience is the number of failed attempts after which a partition counts as
// failing. A leader change takes a few.
const patience = 5

// partition delivers batches to one partition of the topic, one at a time. Idle
// partitions take what arrives, so flows spread over all of them, and one without a
// leader holds up a single batch.
type partition struct {
	p       *Producer
	cluster uint64
	number  int
	state   delivery
	claims  claims // delivered before all others

	batch *spool.Batch // nil: none at present
	data  []byte       // of batch; nil until it is read
	as    *identity    // that the spool has noted for batch; nil until then
}

// run delivers until ctx ends. What it could not deliver it keeps; the spool knows.
func (t *partition) run(ctx context.Context) {
	for len(t.claims) > 0 {
		c := t.claims[0]
		t.batch, t.as = c.batch, &c.as
		t.state = inherited(c.as.session)
		if !t.deliver(ctx) {
			return
		}
		t.claims = t.claims[1:]
	}
	t.state = anew
	for {
		if t.batch = t.p.spool.Next(ctx); t.batch == nil || !t.deliver(ctx) {
			return
		}
	}
}

// renounce gives what was not delivered to other partitions, when this one is gone
// and what ailed it with it.
func (t *partition) renounce() {
	t.p.health.report(t.number, nil)
	switch {
	case t.batch != nil && t.state.doubtful:
		t.p.renounce(t.batch)
	case t.batch != nil:
		t.p.spool.Return(t.batch)
	}
	if len(t.claims) > 0 { // the first is the batch
		for _, c := range t.claims[1:] {
			t.p.renounce(c.batch)
		}
	}
}

// deliver returns true when the batch is stored, dropped or replaced, and false when
// ctx ended before.
func (t *partition) deliver(ctx context.Context) bool {
	for failures := 0; ; {
		err := t.attempt(ctx)
		if err != nil && ctx.Err() != nil {
			t.state.interrupted(err)
			return false
		}
		v := t.settle(err)
		if v.action != stored {
			t.p.meters.retries.WithLabelValues(v.reason).Inc()
		}
		if t.batch == nil {
			t.p.health.report(t.number, nil)
			return true
		}
		if failures++; failures >= patience {
			t.p.health.report(t.number, err)
		}
		if v.moved {
			t.p.cluster.rediscover()
		}
		pause(ctx, backoff(failures))
	}
}

// attempt reads the batch, gets a session and notes the identity if need be, and sends
// the batch once.
func (t *partition) attempt(ctx context.Context) error {
	if t.data == nil {
		data, err := t.p.spool.Data(t.batch)
		if err != nil {
			return fmt.Errorf("%w: %w", errSpool, err)
		}
		t.data = data
	}
	if t.state.session.id == none {
		s, err := t.p.cluster.newSession(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errNoSession, err)
		}
		t.state.session = s
	}
	if t.as == nil {
		t.as = &identity{cluster: t.cluster, partition: t.number, session: t.state.session, sent: time.Now()}
		t.p.spool.Assign(t.batch, t.as.note())
	}
	return t.p.cluster.produce(ctx, t.p.cfg.Topic, *t.as, t.data)
}

// What can fail before a batch is sent at all.
var (
	errSpool     = errors.New("read a record batch from the spool")
	errNoSession = errors.New("get a producer id")
)

// settle does what the outcome of an attempt calls for. There is no batch afterwards
// unless it has to be tried again.
func (t *partition) settle(err error) verdict {
	messages := 0
	if t.data != nil {
		messages = messagesIn(t.data)
	}
	v, twice := t.state.answered(err, messages)
	if twice {
		t.p.meters.doubtful.Add(float64(t.batch.Flows))
	}
	switch v.action {
	case resend:
		return v
	case stored:
		t.p.meters.acknowledged.Add(float64(t.batch.Flows))
		t.p.meters.batches.Inc()
		t.p.meters.bytes.Add(float64(len(t.data)))
		t.finish()
	case split:
		t.split(err)
	case drop:
		t.giveUp(err)
	case redo:
		t.data = nil
	}
	t.as = nil
	return v
}

// giveUp drops a batch that cannot be read, or that Kafka refuses.
func (t *partition) giveUp(err error) {
	if errors.Is(err, errSpool) {
		t.drop(dropDamaged, err)
		return
	}
	t.drop(dropRefused, err)
}

func (t *partition) drop(reason string, err error) {
	t.p.meters.drop(reason, t.batch.Flows)
	t.p.cfg.Logger.Error("queue: flows dropped: they cannot be read from the spool, or Kafka will not store them",
		"topic", t.p.cfg.Topic, "partition", t.number, "flows", t.batch.Flows, "error", err)
	t.finish()
}

// finish ends a batch that is stored or dropped.
func (t *partition) finish() {
	t.p.spool.Done(t.batch)
	t.p.buffer.settle(t.batch.Flows)
	t.batch, t.data = nil, nil
}
