// Package output writes flows to a file or to standard output, where there is no Kafka
// to take them: to look at them, to keep them, or to measure what receiving costs.
//
// The file holds what a Kafka message holds: FlowMessages, each preceded by its length
// as a varint, one after the other.
package output

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Reasons for which messages are dropped.
const (
	dropWriteFailed = "write_failed" // the disk is full, or nobody reads the pipe any more
	dropClosed      = "closed"       // appended after Close
)

var (
	messagesWritten = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_output_messages_written_total",
		Help: "Messages written to the file of --output.",
	})
	messagesDropped = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_output_messages_dropped_total",
		Help: "Messages that are missing in the file of --output, by reason. For write_failed the log has the system's error, such as a full disk.",
	}, []string{"reason"})
)

// Standard is the path that stands for standard output.
const Standard = "-"

// linger is how long a message may wait for its buffer to fill up.
const linger = time.Second

// File takes the messages of any number of writers.
type File struct {
	path string

	mu      sync.Mutex
	to      destination
	end     int64 // of the last whole message in a file that can be truncated
	failing bool  // the last write failed
	torn    bool  // a message was cut off and could not be removed: what follows would be unreadable
	lost    int   // messages since Open
	writers []*Writer
	closed  bool

	stop    chan struct{}
	stopped sync.WaitGroup
}

// destination is what File needs of an os.File.
type destination interface {
	io.WriteCloser
	Truncate(size int64) error
}

// stream is a destination that somebody else has opened. It may be a file to which
// others have written before, so its size is not known here.
type stream struct{ io.WriteCloser }

func (stream) Truncate(int64) error {
	return errors.New("what was opened elsewhere is not cut back")
}

// Open opens path to append to it, and makes it if it does not exist. The path
// Standard is standard output. Close has to be called.
func Open(path string) (*File, error) {
	if path == Standard {
		// The signal of a closed pipe would end the process, and with it the other
		// things that it does; the error of the write says the same.
		signal.Ignore(syscall.SIGPIPE)
		return newFile("standard output", stream{os.Stdout}, 0), nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the file to write flows to: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the file to write flows to: %w", errors.Join(err, file.Close()))
	}
	return newFile(path, file, info.Size()), nil
}

func newFile(path string, to destination, size int64) *File {
	f := &File{path: path, to: to, end: size, stop: make(chan struct{})}
	f.stopped.Go(f.run)
	return f
}

// run writes what has waited for long enough, until Close.
func (f *File) run() {
	ticker := time.NewTicker(linger / 2)
	defer ticker.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-ticker.C:
		}
		for _, w := range f.all() {
			w.tick()
		}
	}
}

func (f *File) all() []*Writer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writers
}

// NewWriter returns a writer for one goroutine. It lives as long as f.
func (f *File) NewWriter() *Writer {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &Writer{file: f, buffer: make([]byte, 0, bufferSize), closed: f.closed}
	f.writers = append(f.writers, w)
	return w
}

// Close writes what the writers hold and closes the file. The error says what was
// not written since Open.
func (f *File) Close() error {
	close(f.stop)
	f.stopped.Wait()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, w := range f.all() {
		w.close()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.to.Close(); err != nil {
		return fmt.Errorf("close the file of flows: %w", err)
	}
	if f.lost > 0 {
		return fmt.Errorf("write flows to %s: %d messages could not be written", f.path, f.lost)
	}
	return nil
}

// write writes whole messages. What cannot be written is dropped.
func (f *File) write(b []byte, messages int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.torn {
		f.drop(messages)
		return
	}
	n, err := f.to.Write(b)
	if err == nil {
		f.end += int64(n)
		f.recovered()
		messagesWritten.Add(float64(messages))
		return
	}
	if !f.failing {
		slog.Error("output: cannot write flows; they are dropped (and counted) until it works again", "file", f.path, "error", err)
	}
	f.failing = true
	f.drop(messages)
	if n == 0 {
		return
	}
	if err := f.to.Truncate(f.end); err != nil {
		slog.Error("output: the file ends in the middle of a flow, nothing more is written to it", "file", f.path, "error", err)
		f.torn = true
	}
}

func (f *File) recovered() {
	if f.failing {
		slog.Info("output: flows can be written again", "file", f.path, "dropped", f.lost)
	}
	f.failing = false
}

func (f *File) drop(messages int) {
	f.lost += messages
	messagesDropped.WithLabelValues(dropWriteFailed).Add(float64(messages))
}
