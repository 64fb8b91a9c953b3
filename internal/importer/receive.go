package importer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Delivery is what a sender hands over at once, and again and again until it is told that
// it was taken.
type Delivery struct {
	ID    DeliveryID
	Name  string // what the sender calls it, for people
	Parts []Part

	// Done is called once, when Parts are not needed any more. It may be nil.
	Done func()
}

// Part is a piece of a delivery, with records of its own.
type Part struct {
	Data []byte
	// Reason is why Data is not decoded: it counts as one record then. Problem says more.
	Reason  Reason
	Problem string
}

// Errors of Take.
var (
	ErrBusy  = errors.New("too many deliveries wait for Kafka")
	ErrEnded = errors.New("this process ends")
)

// mostWaiting is how many deliveries may wait to be decoded.
const mostWaiting = 4096

// entriesOfReceiver is after how many entries the ledger of a Receiver is summed up.
const entriesOfReceiver = 10_000

// Receiver has the records of deliveries in Kafka exactly once, however often each is
// delivered, and also where the process is killed between storing and answering: the ids
// of deliveries are in the entries of the ledger that have their records. The records of
// a delivery are in one entry, those of many deliveries that come at the same time too.
//
// One goroutine decodes, another one sends; any number may call Take.
type Receiver struct {
	cfg     Config
	report  *Report
	sending *sending
	ctx     context.Context // ends when nothing is sent any more
	fail    context.CancelCauseFunc
	ended   chan struct{}

	mu      sync.Mutex
	closed  bool
	queue   chan *delivery
	waiting map[DeliveryID]*delivery
	recent  *recent

	// Of the goroutine that sends.
	entries, ids int // since the ledger was summed up
}

// delivery is a Delivery that waits for Kafka.
type delivery struct {
	Delivery
	done chan struct{} // closed when it is in Kafka, or never will be
	err  error         // once done is closed
}

// finish tells what became of it.
func (d *delivery) finish(err error) {
	d.err = err
	close(d.done)
}

// release gives up what the delivery holds.
func (d *Delivery) release() {
	d.Parts = nil
	if d.Done != nil {
		d.Done()
	}
}

// Receive begins to take deliveries, after it has made sure that Kafka has what an earlier
// process had begun to send: until then, or until ctx ends, it waits for Kafka. It goes on
// until Close, or until sending fails for ever. Files, Follow, Poll and Progress of the
// Config do not count.
func Receive(ctx context.Context, cfg Config) (*Receiver, error) {
	cfg.setDefaults()
	before, err := cfg.Sink.Resume(ctx)
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		cfg: cfg, report: newReport(cfg.Format), ended: make(chan struct{}),
		queue: make(chan *delivery, mostWaiting), waiting: map[DeliveryID]*delivery{}, recent: newRecent(cfg.Remember),
	}
	r.report.receives = true
	for _, note := range before {
		for _, id := range note.Deliveries {
			r.recent.add(id)
		}
	}
	r.ctx, r.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	r.sending = startSending(r.ctx, r.fail, cfg, r.report, r.sent)
	go r.run()
	return r, nil
}

// Failed is closed when sending has failed for ever, or has been closed. Err says why.
func (r *Receiver) Failed() <-chan struct{} { return r.ctx.Done() }

// Err returns why sending has failed.
func (r *Receiver) Err() error {
	if err := context.Cause(r.ctx); !errors.Is(err, ErrEnded) {
		return err
	}
	return nil
}

// Close takes no further deliveries, sends what waits until ctx ends, and reports.
func (r *Receiver) Close(ctx context.Context) *Report {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	select {
	case <-r.ended:
	case <-ctx.Done():
	}
	r.fail(ErrEnded)
	<-r.ended
	return r.report
}

// Take returns nil when Kafka has the records of d, and whether it had them before. It
// waits for that until ctx ends: d stays then, and who brings it again waits for the same.
// ErrBusy and ErrEnded tell that nothing of d was taken.
func (r *Receiver) Take(ctx context.Context, d Delivery) (again bool, err error) {
	waiting, again, err := r.enqueue(d)
	if again || err != nil {
		d.release()
	}
	if again {
		r.report.repeat()
	}
	if waiting == nil || err != nil {
		return again, err
	}
	select {
	case <-waiting.done:
		return again, waiting.err
	case <-ctx.Done():
		return again, context.Cause(ctx)
	}
}

// enqueue returns the delivery to wait for, nil where it is in Kafka, and whether it had
// come before.
func (r *Receiver) enqueue(d Delivery) (*delivery, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recent.has(d.ID) {
		return nil, true, nil
	}
	if before := r.waiting[d.ID]; before != nil {
		return before, true, nil
	}
	if r.closed {
		return nil, false, ErrEnded
	}
	waiting := &delivery{Delivery: d, done: make(chan struct{})}
	select {
	case r.queue <- waiting:
		r.waiting[d.ID] = waiting
		return waiting, false, nil
	default:
		return nil, false, ErrBusy
	}
}

// run decodes deliveries. Those that come while an entry is under way are in the next.
func (r *Receiver) run() {
	defer close(r.ended)
	defer r.sending.stop()
	for {
		var full chan<- *chunk
		if c := r.sending.chunk; c != nil && !c.empty() {
			full = r.sending.full
		}
		select {
		case d, more := <-r.queue:
			if !more {
				r.sending.flush(r.ctx)
				return
			}
			r.decode(d)
		case full <- r.sending.chunk:
			r.sending.chunk = nil
		}
	}
}

// decode decodes a delivery into one chunk, however large that becomes: the delivery is in
// Kafka as a whole or not at all.
func (r *Receiver) decode(d *delivery) {
	defer d.release()
	c, err := r.sending.current(r.ctx)
	if err != nil {
		d.finish(err)
		return
	}
	c.deliveries = append(c.deliveries, d)
	out := Output{Now: r.cfg.now()}
	for i, p := range d.Parts {
		in := &input{path: fmt.Sprintf("delivery %s, record %d", d.Name, i+1), buffer: p.Data}
		if p.Reason != Sent {
			c.counts.skip(p.Reason, in, p.Data, p.Problem)
			continue
		}
		if err := r.decodePart(c, in, &out); err != nil {
			c.counts.skip(BadValue, in, in.buffer[in.start:], err.Error())
		}
	}
}

func (r *Receiver) decodePart(c *chunk, in *input, out *Output) (err error) {
	if in.decoder, err = r.cfg.Format.New(""); err != nil {
		return err
	}
	for in.start < len(in.buffer) {
		size, err := in.decoder.Split(in.buffer[in.start:], true)
		if err != nil {
			return err
		}
		if size == 0 {
			return errors.New("its end is missing")
		}
		c.decode(in, size, out)
	}
	return nil
}

// sent remembers the deliveries of a chunk that Kafka has. It is called by the goroutine
// that sends, before anybody is told.
func (r *Receiver) sent(c *chunk) error {
	sum := r.remember(c)
	if sum == nil {
		return nil
	}
	return r.cfg.Sink.Compact(Note{Deliveries: sum})
}

// remember returns what is known when it is time to sum that up.
func (r *Receiver) remember(c *chunk) []DeliveryID {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range c.deliveries {
		r.recent.add(d.ID)
		delete(r.waiting, d.ID)
	}
	r.entries++
	r.ids += len(c.deliveries)
	if r.entries < entriesOfReceiver && r.ids < r.cfg.Remember {
		return nil
	}
	r.entries, r.ids = 0, 0
	return r.recent.all()
}
