package queue

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
)

// message is the value of one Kafka message: flows, each preceded by its length.
type message struct {
	data  []byte
	flows int
}

// buffer holds messages between writers and partitions, first in first out, and
// bounds their bytes, those of messages that were taken but not yet settled
// (acknowledged or dropped) included.
type buffer struct {
	limit  int
	meters *meters
	pool   sync.Pool // *message, empty

	mu      sync.Mutex
	arrived sync.Cond // a message waits, or the context of somebody who waits for one ended
	settled sync.Cond // messages were settled, or the context of waitSettled ended
	waiting []*message
	bytes   int
	taken   int // messages at partitions
}

func newBuffer(limit, messageBytes int, m *meters) *buffer {
	b := &buffer{limit: limit, meters: m}
	b.arrived.L, b.settled.L = &b.mu, &b.mu
	b.pool.New = func() any { return &message{data: make([]byte, 0, messageBytes)} }
	return b
}

func (b *buffer) empty() *message { return b.pool.Get().(*message) }

func (b *buffer) recycle(m *message) {
	m.data, m.flows = m.data[:0], 0
	b.pool.Put(m)
}

// put accepts m, or drops it whole when the limit would be exceeded, and returns
// an empty message in its place.
func (b *buffer) put(m *message) *message {
	b.meters.accepted.Add(float64(m.flows))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+len(m.data) > b.limit {
		b.meters.drop(dropBufferFull, m.flows)
		m.data, m.flows = m.data[:0], 0
		return m
	}
	b.grow(len(m.data))

	// While Kafka is away, many small messages would take a whole message's memory
	// each. One that fits behind the last is put there: any two neighbours are more
	// than a full message together, so memory stays below twice the limit.
	if n := len(b.waiting); n > 0 {
		last := b.waiting[n-1]
		if len(last.data)+len(m.data) <= cap(last.data) {
			last.data = append(last.data, m.data...)
			last.flows += m.flows
			m.data, m.flows = m.data[:0], 0
			return m
		}
	}
	b.waiting = append(b.waiting, m)
	b.arrived.Signal()
	return b.empty()
}

// take appends to batch the messages that wait, up to maxBytes but always one,
// and waits for one if there is none. It returns nothing when ctx ends first. Who
// has waited longest is served first, so that idle partitions take turns.
func (b *buffer) take(ctx context.Context, batch []*message, maxBytes int) []*message {
	defer context.AfterFunc(ctx, func() { b.wake(&b.arrived) })()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && ctx.Err() == nil {
		b.arrived.Wait()
	}
	if ctx.Err() != nil {
		b.arrived.Signal() // what woke this one may have been meant for the next
		return nil
	}
	n, size := 0, 0
	for _, m := range b.waiting {
		if n > 0 && size+len(m.data) > maxBytes {
			break
		}
		size += len(m.data)
		n++
	}
	batch = append(batch, b.waiting[:n]...)
	b.waiting = slices.Delete(b.waiting, 0, n)
	b.taken += n
	return batch
}

// giveBack returns messages that were taken and are to be delivered by
// somebody else, to the front, so that they are the next to be taken.
func (b *buffer) giveBack(messages []*message) {
	if len(messages) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= len(messages)
	b.waiting = slices.Insert(b.waiting, 0, messages...)
	b.arrived.Signal()
}

// settle ends the life of messages that were taken: they are stored, or dropped.
func (b *buffer) settle(messages []*message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= len(messages)
	for _, m := range messages {
		b.grow(-len(m.data))
		b.recycle(m)
	}
	b.settled.Broadcast()
}

// halve splits m, which was taken, at the boundary of a flow. It returns nil when m
// holds a single flow.
func (b *buffer) halve(m *message) *message {
	if m.flows < 2 {
		return nil
	}
	keep := m.flows / 2
	end := 0
	for range keep {
		size, n := binary.Uvarint(m.data[end:])
		end += n + int(size)
	}
	rest := b.empty()
	rest.data = append(rest.data, m.data[end:]...)
	rest.flows = m.flows - keep
	m.data, m.flows = m.data[:end], keep

	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken++
	return rest
}

// waitSettled returns when nothing waits and nothing is at a partition, or when
// ctx ends.
func (b *buffer) waitSettled(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { b.wake(&b.settled) })()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting)+b.taken > 0 && ctx.Err() == nil {
		b.settled.Wait()
	}
}

// abandon drops everything that waits and returns the number of its flows.
func (b *buffer) abandon() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	flows := 0
	for _, m := range b.waiting {
		flows += m.flows
		b.grow(-len(m.data))
	}
	b.waiting = nil
	b.meters.drop(dropClosed, flows)
	return flows
}

func (b *buffer) wake(waiters *sync.Cond) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waiters.Broadcast()
}

// grow changes the count of bytes held. The caller holds mu.
func (b *buffer) grow(by int) {
	b.bytes += by
	b.meters.buffered.Add(float64(by))
}
