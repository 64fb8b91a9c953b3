package queue

import (
	"context"
	"fmt"
)

// Flush hands over what is appended so far and waits until Kafka has acknowledged
// all of it, or until ctx ends. Who appends faster than Kafka takes can so wait for
// it, instead of having flows dropped.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	writers := p.writers
	p.mu.Unlock()
	for _, w := range writers {
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	}
	p.buffer.hurry()
	p.buffer.waitSettled(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("wait for Kafka to acknowledge flows: %w", ctx.Err())
	}
	return nil
}
