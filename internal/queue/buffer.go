package queue

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// message is the value of one Kafka message: flows, each preceded by its length.
type message struct {
	data  []byte
	flows int
}

// gatherTicks is how many ticks of Config.Linger/2 messages wait for others, to share
// a batch, while no partition is free to send one.
const gatherTicks = 10

// buffer holds messages between writers and the packer, first in first out. It bounds
// the memory of flows on their whole way: that of batches that wait for Kafka is
// counted too.
type buffer struct {
	limit  int
	meters *meters
	free   func() bool // whether a partition waits for something to send
	pool   sync.Pool   // *message, empty
	held   atomic.Int64

	mu      sync.Mutex
	arrived sync.Cond // take may have something to take, or its context ended
	settled sync.Cond // nothing is pending, or the context of waitSettled ended
	waiting []*message
	bytes   int  // of waiting
	age     int  // ticks since the first of waiting came
	pending int  // flows accepted that are neither stored nor dropped
	closed  bool // take waits no longer
}

func newBuffer(limit, messageBytes int, m *meters, free func() bool) *buffer {
	b := &buffer{limit: limit, meters: m, free: free}
	b.arrived.L, b.settled.L = &b.mu, &b.mu
	b.pool.New = func() any { return &message{data: make([]byte, 0, messageBytes)} }
	return b
}

func (b *buffer) empty() *message { return b.pool.Get().(*message) }

// put accepts m, or drops it whole when the limit would be exceeded, and returns
// an empty message in its place.
func (b *buffer) put(m *message) *message {
	b.meters.accepted.Add(float64(m.flows))
	if b.hold(len(m.data)) > b.limit {
		b.hold(-len(m.data))
		b.meters.drop(dropBufferFull, m.flows)
		m.data, m.flows = m.data[:0], 0
		return m
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending += m.flows
	b.bytes += len(m.data)
	b.arrived.Signal()

	// While messages wait, many small ones would take a whole message's memory each.
	// One that fits behind the last is put there: any two neighbours are more than a
	// full message together, so memory stays below twice the limit.
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
	return b.empty()
}

// take appends to batch the messages that wait, up to maxBytes but always one. It
// waits until a partition is free to send them, there are enough for a batch, or they
// have waited long enough. It returns nothing when ctx ends, and when the buffer is
// closed and empty.
func (b *buffer) take(ctx context.Context, batch []*message, maxBytes int) []*message {
	defer context.AfterFunc(ctx, b.wake)()
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.isRipe(maxBytes) && !b.closed && ctx.Err() == nil {
		b.arrived.Wait()
	}
	if ctx.Err() != nil {
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
	b.bytes -= size
	b.age = 0
	return batch
}

func (b *buffer) isRipe(maxBytes int) bool {
	return len(b.waiting) > 0 && (b.bytes >= maxBytes || b.age >= gatherTicks || b.free())
}

// tick lets what waits grow older.
func (b *buffer) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		b.age++
		b.arrived.Signal()
	}
}

// nudge tells that a partition became free.
func (b *buffer) nudge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived.Signal()
}

// hurry has what waits taken without waiting for more.
func (b *buffer) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.age = gatherTicks
	b.arrived.Signal()
}

// release ends the life of messages that were taken.
func (b *buffer) release(messages []*message) {
	for _, m := range messages {
		b.hold(-len(m.data))
		m.data, m.flows = m.data[:0], 0
		b.pool.Put(m)
	}
}

// hold changes the count of bytes in memory, and returns it.
func (b *buffer) hold(by int) int {
	b.meters.buffered.Add(float64(by))
	return int(b.held.Add(int64(by)))
}

// settle ends the wait for flows: they are stored, or dropped.
func (b *buffer) settle(flows int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending -= flows; b.pending == 0 {
		b.settled.Broadcast()
	}
}

// recovered begins the wait for flows that an earlier process has left in the spool.
func (b *buffer) recovered(flows int) { b.settle(-flows) }

// waitSettled returns when all flows are stored or dropped, or when ctx ends.
func (b *buffer) waitSettled(ctx context.Context) {
	defer context.AfterFunc(ctx, b.wake)()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.pending > 0 && ctx.Err() == nil {
		b.settled.Wait()
	}
}

// close has take hand out what is left, and then nothing.
func (b *buffer) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wake()
}

// wake has everybody look again whether to wait.
func (b *buffer) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived.Broadcast()
	b.settled.Broadcast()
}
