package queue

import (
	"sync"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Writer collects the flows of one goroutine into messages. Its lock is there for
// the linger timer, so it is hardly ever contended.
type Writer struct {
	buffer *buffer
	held   bool // between Hold and Release; its goroutine's own

	mu      sync.Mutex
	message *message
	aged    bool // a tick has found the present message begun
	closed  bool
}

// Append encodes what into the present message; what may be reused at once. It never
// blocks: when the buffer is full, whole messages are dropped and counted.
func (w *Writer) Append(what flow.Message) {
	if w.held {
		w.append(what)
		return
	}
	w.mu.Lock()
	w.append(what)
	w.mu.Unlock()
}

// Hold takes the lock once for all that the goroutine appends until it calls Release:
// the lock is a tenth of the work that a flow makes.
func (w *Writer) Hold() {
	w.mu.Lock()
	w.held = true
}

// Release ends Hold. No time must pass in between but that of encoding: messages that
// have waited long enough are handed over afterwards.
func (w *Writer) Release() {
	w.held = false
	w.mu.Unlock()
}

// append needs mu.
func (w *Writer) append(what flow.Message) {
	if w.closed {
		w.buffer.meters.accepted.Inc()
		w.buffer.meters.drop(dropClosed, 1)
		return
	}
	m := w.message
	m.data = what.AppendDelimited(m.data)
	m.flows++
	// A message that is closed while the longest flow still fits never grows beyond
	// the memory it was made with.
	if len(m.data)+flow.MaxEncodedSize > cap(m.data) {
		w.flush()
	}
}

func (w *Writer) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.message.flows == 0 {
		return
	}
	if w.aged {
		w.flush()
		return
	}
	w.aged = true
}

func (w *Writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.flush()
}

// flush hands over the present message. The caller holds mu.
func (w *Writer) flush() {
	w.aged = false
	if w.message.flows > 0 {
		w.message = w.buffer.put(w.message)
	}
}
