package queue

import (
	"context"
	"time"
)

// pack makes record batches of the messages in the buffer and puts them into the
// spool, until the buffer is closed and empty, or ctx ends. It does so as soon as a
// partition is free to send one; while none is, a batch may fill.
func (p *Producer) pack(ctx context.Context) {
	encoder := newEncoder(p.compression)
	var messages []*message
	for {
		messages = p.buffer.take(ctx, messages[:0], int(p.batchBytes.Load()))
		if len(messages) == 0 {
			return
		}
		flows := flowsIn(messages)
		batch, err := encoder.encode(messages, time.Now())
		if err != nil {
			p.meters.drop(dropEncode, flows)
			p.cfg.Logger.Error("queue: flows dropped: cannot encode a record batch",
				"topic", p.cfg.Topic, "messages", len(messages), "flows", flows, "error", err)
			p.buffer.settle(flows)
		} else if p.spool.Append(batch, flows) {
			p.meters.spooled.Add(float64(flows))
		}
		p.buffer.release(messages)
	}
}

func flowsIn(messages []*message) int {
	n := 0
	for _, m := range messages {
		n += m.flows
	}
	return n
}
