package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// patience is the number of failed attempts after which a partition counts as
// failing. A leader change takes a few.
const patience = 5

// partition delivers batches to one partition of the topic, one at a time. Idle
// partitions take what arrives, so flows spread over all of them, and one without a
// leader holds up a single batch.
type partition struct {
	p       *Producer
	number  int
	encoder *encoder
	state   delivery

	batch []*message
	bytes []byte // batch, encoded; nil when it has to be encoded
}

func newPartition(p *Producer, number int) *partition {
	return &partition{
		p:       p,
		number:  number,
		encoder: newEncoder(p.compression),
		state:   delivery{session: session{id: none}},
	}
}

// run delivers until ctx ends; what it could not deliver goes back to the buffer.
func (t *partition) run(ctx context.Context) {
	for {
		t.batch = t.p.buffer.take(ctx, t.batch[:0], int(t.p.batchBytes.Load()))
		if len(t.batch) == 0 {
			return
		}
		t.deliver(ctx)
	}
}

// deliver returns when the batch is stored, dropped, or given back because ctx ended.
func (t *partition) deliver(ctx context.Context) {
	t.bytes = nil
	for failures := 0; ; {
		err := t.attempt(ctx)
		if err != nil && ctx.Err() != nil {
			t.p.buffer.giveBack(t.batch)
			return
		}
		v := t.settle(err)
		if len(t.batch) == 0 {
			t.p.health.report(t.number, nil)
			return
		}
		t.p.meters.retries.WithLabelValues(v.reason).Inc()
		if v.action == split {
			continue
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

// attempt gets a session and encodes the batch if need be, and sends it once.
func (t *partition) attempt(ctx context.Context) error {
	if t.state.session.id == none {
		s, err := t.p.cluster.newSession(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errNoSession, err)
		}
		t.state.session = s
	}
	if t.bytes == nil {
		b, err := t.encoder.encode(t.batch, t.state.session, time.Now())
		if err != nil {
			return fmt.Errorf("%w of %d messages: %w", errEncode, len(t.batch), err)
		}
		t.bytes = b
	}
	return t.p.cluster.produce(ctx, t.p.cfg.Topic, t.number, t.bytes)
}

// What can fail before a batch is sent at all.
var (
	errNoSession = errors.New("get a producer id")
	errEncode    = errors.New("encode a record batch")
)

// settle does what the outcome of an attempt calls for. The batch is empty
// afterwards unless it has to be tried again.
func (t *partition) settle(err error) verdict {
	v, twice := t.state.answered(err, len(t.batch))
	if twice {
		t.p.meters.doubtful.Add(float64(flowsIn(t.batch)))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.encoder.forget() // kafka-go may still be reading what it was given
	}
	switch v.action {
	case resend:
		return v
	case stored:
		t.p.meters.acknowledged.Add(float64(flowsIn(t.batch)))
		t.p.meters.batches.Inc()
		t.p.meters.bytes.Add(float64(len(t.bytes)))
		t.finish()
	case split:
		t.split(err)
	case drop:
		t.drop(dropRefused, err)
	}
	t.bytes = nil
	return v
}

// split gives the second half of the batch back, and has later batches stay below
// the size that was refused.
func (t *partition) split(err error) {
	size := 0
	for _, m := range t.batch {
		size += len(m.data)
	}
	if half := int64(size / 2); half < t.p.batchBytes.Load() {
		t.p.batchBytes.Store(half)
		t.p.cfg.Logger.Warn("queue: Kafka refuses batches of this size; smaller ones are sent from now on",
			"topic", t.p.cfg.Topic, "bytes", size, "error", err, "check", "message.max.bytes of the brokers, max.message.bytes of the topic")
	}
	if n := len(t.batch); n > 1 {
		t.p.buffer.giveBack(t.batch[n/2:])
		t.batch = t.batch[:n/2]
		return
	}
	rest := t.p.buffer.halve(t.batch[0])
	if rest == nil {
		t.drop(dropTooLarge, err)
		return
	}
	t.p.buffer.giveBack([]*message{rest})
}

func (t *partition) drop(reason string, err error) {
	flows := flowsIn(t.batch)
	t.p.meters.drop(reason, flows)
	t.p.cfg.Logger.Error("queue: flows dropped: Kafka will not store them",
		"topic", t.p.cfg.Topic, "partition", t.number, "flows", flows, "error", err)
	t.finish()
}

func (t *partition) finish() {
	t.p.buffer.settle(t.batch)
	t.batch = t.batch[:0]
}

func flowsIn(batch []*message) int {
	n := 0
	for _, m := range batch {
		n += m.flows
	}
	return n
}
