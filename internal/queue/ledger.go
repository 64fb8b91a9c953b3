package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/spool"
)

// Ledger sends what is read from something that stays, such as a file, and remembers how
// far it got, so that each flow is in Kafka exactly once whatever happens to the process.
//
// A producer cannot do that: between a flow in its queue and the position of its reader
// there would always be a moment at which a kill loses one, or has it sent again. Here
// messages and a note of their reader (its position behind them) are one entry:
//
//  1. The entry goes to the disk, forced, with the identity that its batch will have
//     (KIP-98: producer id, epoch, sequence number).
//  2. The batch is sent, under this identity only, until Kafka has acknowledged it.
//  3. The note goes behind those of earlier entries.
//
// Killed before 1, nothing was sent and the reader begins at its last note; afterwards,
// the next process goes on with 2 under the same identity, by which the broker knows a
// batch that it has. One entry is under way at a time, and has as many flows as a batch
// takes. What package queue says of brokers that lose their memory holds here as well.
type Ledger struct {
	cfg         Config
	dir         string
	compression kafka.Compression
	encoder     *encoder
	routes      map[string]*route
	positions   *positions
	unlock      func()
	pending     *entry // sent by an earlier process, or about to be
}

// Content is what is to be sent to one topic.
type Content struct {
	Topic    string
	Messages [][]byte // each with flows, preceded by their lengths
}

// OpenLedger opens the ledger in dir, which is made if missing and belongs to one
// process at a time. Of cfg the spool and all that concerns waiting in memory do not
// count, and Topic is only the first of those that are sent to. It does not connect yet.
func OpenLedger(cfg Config, dir string) (*Ledger, error) {
	cfg.setDefaults()
	l := &Ledger{cfg: cfg, dir: dir, routes: map[string]*route{}}
	err := errors.Join(cfg.check(), l.compression.UnmarshalText([]byte(cfg.Compression)))
	if err == nil {
		_, err = l.route(cfg.Topic)
	}
	if err != nil {
		return nil, fmt.Errorf("open the way to topic %q at %s: %w", cfg.Topic, strings.Join(cfg.Brokers, ","), err)
	}
	l.encoder = newEncoder(l.compression)
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	if l.unlock, err = spool.Lock(dir); err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	if l.positions, err = openPositions(dir); err == nil {
		l.pending, err = readEntry(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the state in %s: %w", dir, errors.Join(err, l.Close()))
	}
	return l, nil
}

// Close gives the directory up. An entry that was not acknowledged stays for the next.
func (l *Ledger) Close() error {
	for _, r := range l.routes {
		r.cluster.close()
	}
	var err error
	if l.positions != nil {
		err = l.positions.close()
	}
	if l.unlock != nil {
		l.unlock()
	}
	return err
}

// Resume delivers what an earlier process had begun to send, and returns the notes of
// all entries that are in Kafka, oldest first. It waits for Kafka, until ctx ends, only
// if there is such an entry. It comes before the first Send.
func (l *Ledger) Resume(ctx context.Context) ([]json.RawMessage, error) {
	if l.pending != nil && l.pending.Number > l.positions.number {
		l.cfg.Logger.Info("queue: an earlier run had begun to send flows; first it is made sure that Kafka has them", "flows", l.pending.flows())
		if err := l.deliver(ctx, l.pending); err != nil {
			return nil, err
		}
		l.positions.notes = append(l.positions.notes, l.pending.Note)
	}
	l.pending = nil
	return l.positions.notes, removeEntry(l.dir)
}

// Notes returns the notes of all entries that are in Kafka, oldest first, as they are on
// the disk now: for Compact.
func (l *Ledger) Notes() ([]json.RawMessage, error) { return l.positions.read() }

// Compact puts a note in the place of all earlier ones, which it sums up.
func (l *Ledger) Compact(note json.RawMessage) error { return l.positions.compact(note) }

// Send delivers contents and then keeps note, which is JSON without line breaks. It
// returns nil when Kafka has acknowledged all; it waits for Kafka until ctx ends. After
// an error the entry may be delivered or not: only the next process finds out.
func (l *Ledger) Send(ctx context.Context, note json.RawMessage, contents ...Content) error {
	e := &entry{Number: l.positions.number + 1, Note: note}
	for _, c := range contents {
		if err := l.addParts(e, c); err != nil {
			return err
		}
	}
	return l.deliver(ctx, e)
}

// addParts makes record batches of what goes to a topic.
func (l *Ledger) addParts(e *entry, c Content) error {
	r, err := l.route(c.Topic)
	if err != nil {
		return fmt.Errorf("open the way to topic %q: %w", c.Topic, err)
	}
	for rest := c.Messages; len(rest) > 0; {
		var batch []*message
		for size := 0; len(rest) > 0 && (size == 0 || size+len(rest[0]) <= l.cfg.BatchBytes); rest = rest[1:] {
			size += len(rest[0])
			batch = append(batch, &message{data: rest[0], flows: countFlows(rest[0])})
		}
		p, err := l.encode(c.Topic, batch)
		if err != nil {
			return err
		}
		e.parts = append(e.parts, p)
		r.meters.accepted.Add(float64(p.Flows))
	}
	return nil
}

func (l *Ledger) encode(topic string, messages []*message) (*part, error) {
	data, err := l.encoder.encode(messages, time.Now())
	if err != nil {
		return nil, fmt.Errorf("encode a record batch for topic %q: %w", topic, err)
	}
	return &part{Topic: topic, Flows: flowsIn(messages), data: data}, nil
}

// deliver sends the parts of e, one after the other, and notes that they are stored.
func (l *Ledger) deliver(ctx context.Context, e *entry) error {
	for len(e.parts) > 0 {
		r, err := l.route(e.parts[0].Topic)
		if err != nil {
			return err
		}
		if err := r.deliver(ctx, e); err != nil {
			return err
		}
	}
	if err := l.positions.add(e.Number, e.Note); err != nil {
		return fmt.Errorf("note in %s how far it got: %w", l.dir, err)
	}
	return removeEntry(l.dir)
}

// route returns the way to a topic.
func (l *Ledger) route(topic string) (*route, error) {
	if r := l.routes[topic]; r != nil {
		return r, nil
	}
	cfg := l.cfg
	cfg.Topic = topic
	c, err := newCluster(cfg)
	if err != nil {
		return nil, err
	}
	r := &route{ledger: l, topic: topic, cluster: c, meters: newMeters(topic)}
	l.routes[topic] = r
	return r, nil
}

// split puts two halves of the first part in its place.
func (l *Ledger) split(e *entry, cause error) error {
	messages, err := decode(e.parts[0].data)
	if err != nil {
		return errors.Join(cause, err)
	}
	first, second := halve(messages)
	if len(second) == 0 {
		return cause
	}
	halves := make([]*part, 0, 2+len(e.parts))
	for _, half := range [][]*message{first, second} {
		// What was decoded may share memory with the batch, which is given up.
		for _, m := range half {
			m.data = bytes.Clone(m.data)
		}
		p, err := l.encode(e.parts[0].Topic, half)
		if err != nil {
			return err
		}
		halves = append(halves, p)
	}
	if size := len(e.parts[0].data); size/2 < l.cfg.BatchBytes {
		l.cfg.BatchBytes = max(size/2, l.cfg.MessageBytes)
	}
	e.parts = append(halves, e.parts[1:]...)
	return nil
}
