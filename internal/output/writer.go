package output

import (
	"sync"

	"github.com/leoluk/NetMeta/internal/flow"
)

// bufferSize is how many bytes are written at once: few enough to stay in the
// processor's cache, and hundreds of flows for one system call.
const bufferSize = 64 << 10

// Writer collects the messages of one goroutine. Its lock is there for the linger
// timer, so it is hardly ever contended.
type Writer struct {
	file *File
	held bool // between Hold and Release; its goroutine's own

	mu       sync.Mutex
	buffer   []byte
	messages int  // in buffer
	aged     bool // a tick has found the buffer begun
	closed   bool
}

// Append encodes what, which may be reused at once. The messages are written when the
// buffer is full or a second old; that takes as long as the system does, which is long
// only for a pipe that is read slowly.
func (w *Writer) Append(what flow.Message) {
	if w.held {
		w.append(what)
		return
	}
	w.mu.Lock()
	w.append(what)
	w.mu.Unlock()
}

// Hold takes the lock once for all that the goroutine appends until it calls Release.
func (w *Writer) Hold() {
	w.mu.Lock()
	w.held = true
}

// Release ends Hold.
func (w *Writer) Release() {
	w.held = false
	w.mu.Unlock()
}

// append needs mu.
func (w *Writer) append(what flow.Message) {
	if w.closed {
		messagesDropped.WithLabelValues(dropClosed).Inc()
		return
	}
	w.buffer = what.AppendDelimited(w.buffer)
	w.messages++
	// A buffer that is written while the longest message still fits never grows.
	if len(w.buffer)+flow.MaxEncodedSize > cap(w.buffer) {
		w.flush()
	}
}

// tick writes a buffer that the tick before has found begun.
func (w *Writer) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aged {
		w.flush()
		return
	}
	w.aged = w.messages > 0
}

func (w *Writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.flush()
}

// flush writes what the buffer holds. The caller holds mu.
func (w *Writer) flush() {
	w.aged = false
	if w.messages == 0 {
		return
	}
	w.file.write(w.buffer, w.messages)
	w.buffer, w.messages = w.buffer[:0], 0
}
