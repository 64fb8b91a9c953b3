package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// spooledWait is how long Close waits for flows that are safe in the spool: enough for
// a Kafka that is well.
const spooledWait = 2 * time.Second

// Close delivers what was accepted and waits for the acknowledgements until ctx ends.
// It returns an error that says how many flows were not delivered, if any; those of a
// batch whose answer was still awaited are among them although the broker may have
// stored them. Flows in the spool are not lost: for them Close waits two seconds at
// most, and leaves them to the next process. Records appended later are dropped and
// counted.
func (p *Producer) Close(ctx context.Context) error {
	p.closing.Do(func() { p.closeErr = p.close(ctx) })
	return p.closeErr
}

func (p *Producer) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	writers := p.writers
	p.mu.Unlock()
	for _, w := range writers {
		w.close()
	}
	p.buffer.close()
	p.packing.Wait()
	p.waitDelivered(ctx)
	p.end()
	left := p.spool.Stats()
	if left.Flows > 0 {
		p.cfg.Logger.Info("queue: flows wait in the spool for the next start", "topic", p.cfg.Topic, "spool", p.cfg.Spool, "flows", left.Flows)
	}
	if left.MemoryFlows == 0 {
		return nil
	}
	p.meters.drop(dropClosed, left.MemoryFlows)
	p.meters.buffered.Sub(float64(p.buffer.held.Load()))
	return fmt.Errorf("close queue to topic %q at %s: %d accepted flows were not delivered: %w",
		p.cfg.Topic, strings.Join(p.cfg.Brokers, ","), left.MemoryFlows, errors.Join(ctx.Err(), p.health.err()))
}

// waitDelivered returns when there is nothing left worth waiting for.
func (p *Producer) waitDelivered(ctx context.Context) {
	if p.cfg.Spool != "" && p.spool.Stats().MemoryFlows == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, spooledWait)
		defer cancel()
	}
	p.buffer.waitSettled(ctx)
}

// end stops all goroutines, delivered or not.
func (p *Producer) end() {
	p.stop()
	p.packing.Wait()
	p.running.Wait()
	p.cluster.close()
	p.measureSpool()
	p.spool.Close()
}
