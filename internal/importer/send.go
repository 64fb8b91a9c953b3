package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/leoluk/NetMeta/internal/queue"
)

// Sink takes what was read.
type Sink interface {
	// Resume returns what is noted of all that was sent, later notes being newer.
	Resume(ctx context.Context) ([]Note, error)
	// Send takes contents, and where they came from, at once.
	Send(ctx context.Context, note Note, contents []queue.Content) error
	// Compact puts a note in the place of all earlier ones, which it sums up.
	Compact(note Note) error
	Close() error
}

// kafka is the Sink that sends.
type kafka struct {
	ledger *queue.Ledger
	notes  int // since they were summed up last
}

// OpenKafka returns the Sink that has every flow in Kafka once. It keeps in dir how far
// files were read, and which deliveries have come.
func OpenKafka(cfg queue.Config, dir string) (Sink, error) {
	ledger, err := queue.OpenLedger(cfg, dir)
	if err != nil {
		return nil, err
	}
	return &kafka{ledger: ledger}, nil
}

// compactAbove is after how many entries their notes are summed up in one.
const compactAbove = 1000

func (k *kafka) Resume(ctx context.Context) ([]Note, error) {
	lines, err := k.ledger.Resume(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := parseNotes(lines)
	if err != nil {
		return nil, err
	}
	k.notes = len(lines)
	return notes, k.compact(notes)
}

func parseNotes(lines []json.RawMessage) ([]Note, error) {
	notes := make([]Note, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal(line, &notes[i]); err != nil {
			return nil, fmt.Errorf("read what was sent before: %w", err)
		}
	}
	return notes, nil
}

// compact sums notes up where there are many.
func (k *kafka) compact(notes []Note) error {
	if len(notes) <= compactAbove {
		return nil
	}
	return k.Compact(newKnown(notes).sum())
}

func (k *kafka) Compact(note Note) error {
	b, err := json.Marshal(note)
	if err != nil {
		return err
	}
	k.notes = 1
	return k.ledger.Compact(b)
}

func (k *kafka) Send(ctx context.Context, note Note, contents []queue.Content) error {
	b, err := json.Marshal(note)
	if err != nil {
		return err
	}
	if err := k.ledger.Send(ctx, b, contents...); err != nil {
		return err
	}
	// A Receiver knows itself when it is time.
	if k.notes++; k.notes <= compactAbove || len(note.Deliveries) > 0 {
		return nil
	}
	lines, err := k.ledger.Notes()
	if err != nil {
		return err
	}
	notes, err := parseNotes(lines)
	if err != nil {
		return err
	}
	return k.compact(notes)
}

func (k *kafka) Close() error { return k.ledger.Close() }

// sending hands chunks to the sink, in order, while the next is being filled.
type sending struct {
	cfg    Config
	report *Report
	free   chan *chunk
	full   chan *chunk
	done   chan struct{}
	chunk  *chunk // being filled

	sent func(*chunk) error // called behind each that was sent
}

func startSending(ctx context.Context, fail context.CancelCauseFunc, cfg Config, report *Report, sent func(*chunk) error) *sending {
	const chunks = 3 // one is filled, one waits, one is sent
	s := &sending{cfg: cfg, report: report, free: make(chan *chunk, chunks), full: make(chan *chunk, 1), done: make(chan struct{}), sent: sent}
	for range chunks {
		s.free <- &chunk{limit: cfg.ChunkBytes}
	}
	go s.run(ctx, fail)
	return s
}

// run sends until full is closed, or ctx ends.
func (s *sending) run(ctx context.Context, fail context.CancelCauseFunc) {
	defer close(s.done)
	for c := range s.full {
		err := context.Cause(ctx)
		if err == nil {
			if err = s.send(ctx, c); err != nil {
				fail(err)
			}
		}
		c.answer(err)
		c.reset()
		s.free <- c
	}
}

// send returns nil once c is sent.
func (s *sending) send(ctx context.Context, c *chunk) error {
	if err := s.cfg.Sink.Send(ctx, c.note(), c.contents()); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return context.Cause(ctx)
		}
		return err
	}
	s.report.add(c)
	return s.sent(c)
}

// current returns the chunk that takes the next record. One that is full it sends before.
func (s *sending) current(ctx context.Context) (*chunk, error) {
	if s.chunk != nil && s.chunk.full() {
		s.flush(ctx)
	}
	if s.chunk == nil {
		select {
		case s.chunk = <-s.free:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return s.chunk, nil
}

// flush sends what there is.
func (s *sending) flush(ctx context.Context) {
	if s.chunk == nil || s.chunk.empty() {
		return
	}
	s.chunk.seal()
	select {
	case s.full <- s.chunk:
	case <-ctx.Done():
		s.chunk.answer(context.Cause(ctx))
	}
	s.chunk = nil
}

// stop waits until all is sent.
func (s *sending) stop() {
	close(s.full)
	<-s.done
}
