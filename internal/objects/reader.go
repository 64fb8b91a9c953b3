package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
)

// headBytes is how much of an object is fetched when it is opened, in one request with
// what follows.
const headBytes = 256 << 10

// Reader reads an object, and reads on where a connection broke. One goroutine uses it.
type Reader struct {
	ctx    context.Context
	client *Client
	object Object
	again  *retry
	head   []byte // what it begins with
	at     int64  // of the next Read

	body   io.ReadCloser // of a request, from bodyAt on; nil: none
	bodyAt int64
	cancel context.CancelFunc // of the request
	watch  *time.Timer        // cancels when nothing comes
}

// Open opens an object and fetches its beginning. The context is that of all that is read.
func (c *Client) Open(ctx context.Context, o Object) (*Reader, error) {
	r := &Reader{ctx: ctx, client: c, object: o, again: c.newRetry("read " + o.Name())}
	head := make([]byte, min(o.Size, headBytes))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.head = head
	if r.at == o.Size {
		r.drop()
	}
	_, err := r.Seek(0, io.SeekStart)
	return r, err
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		if r.at >= r.object.Size {
			return 0, io.EOF
		}
		if len(p) == 0 {
			return 0, nil
		}
		if r.at < int64(len(r.head)) {
			n := copy(p, r.head[r.at:])
			r.at += int64(n)
			return n, nil
		}
		n, err := r.fetch(p)
		if n > 0 {
			r.again.reset()
			return n, nil
		}
		if err == nil {
			continue
		}
		r.drop()
		if err = r.again.wait(r.ctx, err); err != nil {
			return 0, err
		}
	}
}

// fetch reads from the request that is under way, or from a new one.
func (r *Reader) fetch(p []byte) (int, error) {
	if r.body == nil || r.bodyAt != r.at {
		r.drop()
		ctx, cancel := context.WithCancel(r.ctx)
		r.cancel, r.watch = cancel, time.AfterFunc(r.client.cfg.stalled, cancel)
		body, err := r.client.get(ctx, r.object, r.at)
		if err != nil {
			return 0, err
		}
		r.body, r.bodyAt = body, r.at
	}
	r.watch.Reset(r.client.cfg.stalled)
	n, err := r.body.Read(p[:min(int64(len(p)), r.object.Size-r.at)])
	r.watch.Stop()
	r.at += int64(n)
	r.bodyAt = r.at
	if n == 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// drop ends the request that is under way.
func (r *Reader) drop() {
	if r.cancel != nil {
		r.watch.Stop()
		r.cancel()
		r.cancel = nil
	}
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

// ReadAt implements io.ReaderAt, for what Open has fetched of the beginning.
func (r *Reader) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= int64(len(r.head)) {
		return 0, io.EOF
	}
	n := copy(p, r.head[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Seek implements io.Seeker. It asks for nothing yet.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.object.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("%s: there is nothing before its beginning", r.object.Name())
	}
	r.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (r *Reader) Close() error {
	r.drop()
	return nil
}

// Stat returns what the listing said.
func (r *Reader) Stat() (fs.FileInfo, error) { return info{r.object}, nil }

type info struct{ Object }

func (i info) Name() string       { return path.Base(i.Location.Prefix) }
func (i info) Size() int64        { return i.Object.Size }
func (i info) Mode() fs.FileMode  { return 0o444 }
func (i info) ModTime() time.Time { return i.Modified }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }
