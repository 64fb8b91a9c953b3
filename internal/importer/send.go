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
	// Resume returns how far files were read, later ones being newer.
	Resume(ctx context.Context) ([]FileState, error)
	// Send takes contents, and how far files were read for them, at once.
	Send(ctx context.Context, files []FileState, contents []queue.Content) error
	Close() error
}

// kafka is the Sink that sends.
type kafka struct{ ledger *queue.Ledger }

// OpenKafka returns the Sink that has every flow in Kafka once. It keeps how far files
// were read in dir.
func OpenKafka(cfg queue.Config, dir string) (Sink, error) {
	ledger, err := queue.OpenLedger(cfg, dir)
	if err != nil {
		return nil, err
	}
	return kafka{ledger}, nil
}

// note is what the ledger keeps.
type note struct {
	Files []FileState `json:"files"`
}

// compactAbove is after how many entries the next start sums them up.
const compactAbove = 1000

func (k kafka) Resume(ctx context.Context) ([]FileState, error) {
	lines, err := k.ledger.Resume(ctx)
	if err != nil {
		return nil, err
	}
	var states []FileState
	for _, line := range lines {
		var n note
		if err := json.Unmarshal(line, &n); err != nil {
			return nil, fmt.Errorf("read how far files were read: %w", err)
		}
		states = append(states, n.Files...)
	}
	if len(lines) > compactAbove {
		sum, err := json.Marshal(note{newKnown(states).all()})
		if err != nil {
			return nil, err
		}
		return states, k.ledger.Compact(sum)
	}
	return states, nil
}

func (k kafka) Send(ctx context.Context, files []FileState, contents []queue.Content) error {
	b, err := json.Marshal(note{files})
	if err != nil {
		return err
	}
	return k.ledger.Send(ctx, b, contents...)
}

func (k kafka) Close() error { return k.ledger.Close() }

// sending hands chunks to the sink, in order, while the next is being filled.
type sending struct {
	cfg    Config
	report *Report
	free   chan *chunk
	full   chan *chunk
	done   chan struct{}
	chunk  *chunk // being filled
}

func startSending(ctx context.Context, fail context.CancelCauseFunc, cfg Config, report *Report) *sending {
	const chunks = 3 // one is filled, one waits, one is sent
	s := &sending{cfg: cfg, report: report, free: make(chan *chunk, chunks), full: make(chan *chunk, 1), done: make(chan struct{})}
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
		if ctx.Err() == nil {
			err := s.cfg.Sink.Send(ctx, c.files, c.contents())
			switch {
			case err == nil:
				s.report.add(&c.counts)
			case ctx.Err() == nil || !errors.Is(err, context.Canceled):
				fail(err)
			}
		}
		c.reset()
		s.free <- c
	}
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
	if s.chunk == nil || len(s.chunk.touched) == 0 {
		return
	}
	s.chunk.seal()
	select {
	case s.full <- s.chunk:
	case <-ctx.Done():
	}
	s.chunk = nil
}

// stop waits until all is sent.
func (s *sending) stop() {
	close(s.full)
	<-s.done
}
