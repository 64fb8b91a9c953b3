package importer

import (
	"context"
	"errors"
	"time"

	"github.com/leoluk/NetMeta/internal/objects"
)

// followed is a file that a run with Follow watches.
type followed struct {
	*input
	seen    int64     // its size when it was read last
	changed time.Time // when it was found to have grown
	gone    bool      // its name belongs to another file now, or to none
}

const (
	// afterRotation is for how long a file is read that was renamed or removed: servers
	// write to it until they are told to open their log anew.
	afterRotation = time.Minute
	// idle is after how long a file that does not grow is closed. It is opened again
	// when it does.
	idle = 10 * time.Minute
)

// follower is what follow works with.
type follower struct {
	*run
	open   map[place]*followed
	closed map[place]int64 // sizes of files that were read and closed, or cannot be read
	empty  bool            // the names stand for no file

	names     []string
	locations []objects.Location
	listed    time.Time // when locations were listed last
}

// follow reads files and what is appended to them until ctx ends.
func (r *run) follow(ctx context.Context) error {
	f := &follower{run: r, open: map[place]*followed{}, closed: map[place]int64{}}
	var err error
	if f.names, f.locations, err = split(r.cfg.Files); err != nil {
		return err
	}
	defer f.close()
	for {
		if err := f.round(ctx); err != nil {
			return err
		}
		if err := f.list(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		r.sending.flush(ctx)
		if len(f.names) > 0 {
			r.progress.AllFiles = len(f.open) + len(f.closed)
		}
		r.cfg.Progress(r.progress)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.cfg.Poll):
		}
	}
}

func (f *follower) close() {
	for _, in := range f.open {
		in.close()
	}
}

// round looks at every file once.
func (f *follower) round(ctx context.Context) error {
	named := map[place]bool{}
	for _, name := range f.names {
		paths, err := expandOne(name)
		if err != nil {
			continue // it may be made later; rotation removes it for a moment
		}
		for _, path := range paths {
			f.find(path, named)
		}
	}
	if len(f.open)+len(f.closed) == 0 && len(f.names) > 0 && !f.empty {
		f.empty = true
		f.cfg.Logger.Info("import: there is no file yet; waiting for one", "files", f.names)
	}
	for p, in := range f.open {
		in.gone = !named[p]
		if err := f.more(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// list takes what is new of the objects, now and then. Only the first time it is an error
// if a store refuses: somebody is there to read it.
func (f *follower) list(ctx context.Context) error {
	now := f.cfg.now()
	if len(f.locations) == 0 || now.Sub(f.listed) < f.cfg.List {
		return nil
	}
	first := f.listed.IsZero()
	f.listed = now
	for _, location := range f.locations {
		var failed []error // are logged and counted
		err := f.pass(ctx, location, &failed)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first && errors.Is(err, objects.ErrAccess):
			return err
		case err != nil:
			f.failed(location.String(), err)
		}
	}
	return nil
}

// find opens the file at path unless it is open, or has nothing new.
func (f *follower) find(path string, named map[place]bool) {
	p, size, err := look(path)
	if err != nil {
		return
	}
	named[p] = true
	if in := f.open[p]; in != nil {
		in.path = path
		return
	}
	if before, closed := f.closed[p]; closed && before == size {
		return
	}
	in, err := f.run.open(path)
	switch {
	case errors.Is(err, errInUse):
		return // until the other one is closed, or truncated
	case err != nil:
		f.cfg.Logger.Error("import: a file cannot be read; it is tried again when it changes", "file", path, "error", err)
		f.closed[p] = size
		return
	}
	delete(f.closed, p)
	f.report.Files++
	f.open[in.place] = &followed{input: in, seen: -1, changed: f.cfg.now()}
}

// more reads what was appended to a file.
func (f *follower) more(ctx context.Context, in *followed) error {
	now := f.cfg.now()
	info, err := in.file.Stat()
	if err != nil {
		return f.fail(in, err)
	}
	size := info.Size()
	if replaced := !in.packed && in.replaced(size); replaced {
		f.truncated(in.path, in.at+int64(in.rest()), size)
		if err := f.anew(in); err != nil {
			return f.fail(in, err)
		}
	}
	ended := in.packed || in.gone && now.Sub(in.changed) > afterRotation
	if size != in.seen || ended {
		if size != in.seen {
			in.seen, in.changed = size, now
		}
		if err := f.read(ctx, in.input, ended); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return f.fail(in, err)
		}
	}
	if ended || now.Sub(in.changed) > idle {
		f.finish(in)
	}
	return nil
}

// replaced tells whether the file has something else than what was read of it.
func (in *input) replaced(size int64) bool {
	if size < in.at+int64(in.rest()) {
		return true
	}
	head := make([]byte, min(len(in.head), printBytes))
	n, _ := in.file.ReadAt(head, 0)
	return fingerprint(head[:n]) != fingerprint(in.head)
}

// anew begins a file that was truncated as another one.
func (f *follower) anew(in *followed) error {
	if in.rest() > 0 {
		f.report.Unfinished++
	}
	in.leave()
	if in.chunk != nil { // which has to know how far the file was before
		in.chunk.leave(in.input)
	}
	in.head = make([]byte, printBytes)
	n, _ := in.file.ReadAt(in.head, 0)
	in.head = in.head[:n]
	in.state = f.known.begin()
	in.state.reader = in.input
	in.size, in.seen = 0, -1
	if info, err := in.file.Stat(); err == nil {
		in.size = info.Size()
	}
	return f.resume(in.input)
}

// fail gives a file up until it changes.
func (f *follower) fail(in *followed, err error) error {
	f.failed(in.path, err)
	f.finish(in)
	return nil
}

func (f *follower) finish(in *followed) {
	in.close()
	delete(f.open, in.place)
	if !in.gone {
		f.closed[in.place] = in.seen
	}
}
