package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leoluk/NetMeta/internal/objects"
)

// pass is one way through all objects of a location, or through those behind the days that
// are settled.
type pass struct {
	*run
	location objects.Location
	began    time.Time
	whole    bool // the days that are settled are listed, too
	complete bool // there is nothing that has to be tried again

	done   map[objectID]time.Time // what was listed and is done, and when it was written
	latest map[string]string      // by stem: the first day that may not be settled

	ahead   []*opening
	read    int
	refused int // in a row
	failed  *[]error
}

const (
	// openAhead is how many objects are opened before they are read: most of the time with
	// small ones goes into waiting for the store.
	openAhead = 8
	// mostRefused is after how many refused objects nobody is asked for more.
	mostRefused = 20
)

// opening is an object on its way.
type opening struct {
	object objects.Object
	id     objectID
	reader *objects.Reader
	err    error
	ready  chan struct{}
}

// pass lists a location and reads what is new. Objects that cannot be read are appended
// to failed; an error means that the others cannot, either.
func (r *run) pass(ctx context.Context, location objects.Location, failed *[]error) error {
	if r.cfg.Objects == nil {
		return fmt.Errorf("%s: no client for object stores is configured", location)
	}
	ctx, cancel := context.WithCancel(ctx) // ends what was opened ahead
	defer cancel()
	p := &pass{
		run: r, location: location, began: r.cfg.now(), complete: true, failed: failed,
		done: map[objectID]time.Time{}, latest: map[string]string{},
	}
	p.whole = p.began.Sub(r.known.objects.whole[location.String()]) >= wholeEvery
	listed, err := p.list(ctx)
	for err == nil && len(p.ahead) > 0 {
		err = p.next(ctx)
	}
	for _, o := range p.ahead {
		<-o.ready
		if o.reader != nil {
			_ = o.reader.Close()
		}
	}
	if err != nil {
		return err
	}
	if listed == 0 && p.whole && !r.cfg.Follow {
		return fmt.Errorf("no object begins with %s", location)
	}
	if p.whole && p.complete {
		return p.settle(ctx)
	}
	return nil
}

// list goes through the listing, and leaps over days that are settled.
func (p *pass) list(ctx context.Context) (listed int, err error) {
	for after, leap := "", true; leap; {
		leap = false
		for o, err := range p.cfg.Objects.List(ctx, p.location, after) {
			if err != nil {
				return listed, err
			}
			listed++
			if floor, settled := p.known.objects.floor(o.Name()); settled && !p.whole {
				location, err := objects.Parse(floor.start())
				if err != nil {
					return listed, err
				}
				after, leap = location.Prefix, true
				break
			}
			if err := p.take(ctx, o); err != nil {
				return listed, err
			}
		}
	}
	return listed, nil
}

// take opens an object unless it is done.
func (p *pass) take(ctx context.Context, o objects.Object) error {
	id := idOf(o.Name(), o.ETag)
	p.note(o, id)
	if p.damaged[id] {
		return nil
	}
	if p.known.objects.has(o, id) {
		if !p.cfg.Follow {
			p.report.Unchanged++
		}
		return nil
	}
	p.progress.AllFiles++
	p.progress.AllBytes += o.Size
	opened := &opening{object: o, id: id, ready: make(chan struct{})}
	p.ahead = append(p.ahead, opened)
	go func() {
		defer close(opened.ready)
		opened.reader, opened.err = p.cfg.Objects.Open(ctx, o)
	}()
	if len(p.ahead) < openAhead {
		return nil
	}
	return p.next(ctx)
}

// note notes what may be settled when the pass is over.
func (p *pass) note(o objects.Object, id objectID) {
	if !p.whole {
		return
	}
	p.done[id] = o.Modified
	stem, day, ok := dayOf(o.Name())
	if !ok {
		return
	}
	latest, seen := p.latest[stem]
	if !seen {
		latest = p.began.UTC().Add(-settleAfter).Format("2006/01/02")
	}
	if day < latest && !o.Modified.Before(p.began.Add(-quiet)) {
		latest = day
	}
	p.latest[stem] = latest
}

// next reads the object that was opened first.
func (p *pass) next(ctx context.Context) error {
	o := p.ahead[0]
	p.ahead = p.ahead[1:]
	<-o.ready
	err := o.err
	if err == nil {
		err = p.readObject(ctx, o)
	}
	p.progress.Files++
	switch {
	case err == nil:
		p.refused = 0
		p.read++
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, objects.ErrGone):
		p.report.Vanished++
		objectsVanished.WithLabelValues(p.cfg.Format.Source).Inc()
		delete(p.done, o.id)
		return nil
	}
	switch {
	case errors.Is(err, objects.ErrUnreachable), errors.Is(err, errSpool):
		return err
	case errors.Is(err, objects.ErrAccess):
		p.complete = false
		if p.refused++; p.refused >= mostRefused {
			return fmt.Errorf("%d objects in a row: %w", p.refused, err)
		}
	default:
		p.damaged[o.id] = true
		delete(p.done, o.id)
	}
	p.run.failed(o.object.Name(), err)
	*p.failed = append(*p.failed, fmt.Errorf("%s: %w", o.object.Name(), err))
	return nil
}

// readObject reads an object from where it was read up to, to its end.
func (p *pass) readObject(ctx context.Context, o *opening) error {
	in := &input{path: o.object.Name(), file: o.reader, known: p.known, id: o.id, etag: o.object.ETag}
	defer in.close()
	if err := p.prepare(in); err != nil {
		return err
	}
	if err := p.run.read(ctx, in, true); err != nil {
		return err
	}
	if in.rest() > 0 {
		return errors.New("it ends within a record: it is cut off")
	}
	c, err := p.sending.current(ctx)
	if err != nil {
		return err
	}
	c.touch(in)
	in.done = true
	p.known.done(in.id)
	p.report.Files++
	return nil
}

// settle notes that all of the location was read.
func (p *pass) settle(ctx context.Context) error {
	s := Settled{Location: p.location.String(), At: p.began}
	for stem, day := range p.latest {
		if day > p.known.objects.floors[stem].Day {
			s.Floors = append(s.Floors, Floor{Stem: stem, Day: day, Before: p.began.Add(-quiet)})
		}
	}
	for _, f := range s.Floors {
		p.known.objects.floors[f.Stem] = f
	}
	var ids []objectID
	for id, modified := range p.done {
		if f, settled := p.known.objects.floor(id.folder); !settled || !modified.Before(f.Before) {
			ids = append(ids, id) // of others, the floor says it
		}
	}
	s.Done = doneNotes(ids)
	p.known.settle(s)
	c, err := p.sending.current(ctx)
	if err != nil {
		return err
	}
	c.settled = append(c.settled, s)
	p.sending.flush(ctx)
	return nil
}
