package importer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/leoluk/NetMeta/internal/objects"
	"github.com/leoluk/NetMeta/internal/parquet"
)

// Rows decodes a file of Parquet, whose records have no order of bytes: the position in it
// is the number of a row.
type Rows interface {
	Len() int64              // rows of the file
	SeekRow(row int64) error // goes to a row, from which Decode goes on
	// Decode sends what the next row holds to out, and else returns why not. An error
	// gives the file up; behind the last row it is io.EOF.
	Decode(out *Output) (Reason, error)
	Close() error
}

// isParquet tells whether a file that begins so is Parquet. An error says that it should
// be, or that nobody can read it.
func (r *run) isParquet(in *input, start string) (bool, error) {
	is := strings.HasPrefix(start, parquet.Magic)
	switch {
	case !is && strings.HasSuffix(in.path, ".parquet") && in.size > 0:
		return false, errors.New("it is not Parquet, as its name says: it does not begin with PAR1")
	case is && r.cfg.Format.Rows == nil:
		return false, fmt.Errorf("it is Parquet, which is not read as %s", r.cfg.Format.Source)
	}
	return is, nil
}

// prepareRows goes to the row up to which a file was read.
func (r *run) prepareRows(in *input) error {
	in.packed = true // it does not grow
	if err := in.spool(); err != nil {
		return err
	}
	print, err := in.rowsPrint()
	if err != nil {
		return err
	}
	if err := r.identify(in, print, true); err != nil {
		return err
	}
	if in.rows, err = r.cfg.Format.Rows(in.file, in.size); err != nil {
		return err
	}
	in.at = in.state.Offset
	return in.rows.SeekRow(in.at)
}

// rowsPrint is what tells a file from others: its size, and its end beside its beginning,
// which may be the same in many.
func (in *input) rowsPrint() ([]byte, error) {
	n := min(in.size, printBytes)
	print := make([]byte, 2*n, 2*n+8)
	if _, err := in.file.ReadAt(print[:n], 0); err != nil {
		return nil, err
	}
	if _, err := in.file.ReadAt(print[n:], in.size-n); err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint64(print, uint64(in.size)), nil
}

// errSpool is returned where there is no room for an object. It does not say that the
// object is damaged.
var errSpool = errors.New("the object cannot be put into a temporary file (TMPDIR)")

// spool puts an object into a file that nobody else sees: Parquet is read from its end.
func (in *input) spool() error {
	reader, ok := in.file.(*objects.Reader)
	if !ok {
		return nil
	}
	spooled, err := os.CreateTemp("", "netmeta-import-*.parquet")
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	in.file = spooled
	if err := os.Remove(spooled.Name()); err != nil { // it is gone when it is closed
		return errors.Join(errSpool, err, reader.Close())
	}
	written, err := io.Copy(spooled, reader)
	if at, _ := reader.Seek(0, io.SeekCurrent); err != nil && at > written {
		err = fmt.Errorf("%w: %w", errSpool, err)
	}
	return errors.Join(err, reader.Close())
}

// readRows decodes the rows from where the file stands.
func (r *run) readRows(ctx context.Context, in *input) error {
	out := Output{Now: r.cfg.now()}
	for {
		c, err := r.sending.current(ctx)
		if err != nil {
			return err
		}
		out.chunk, out.Problem = c, ""
		reason, err := in.rows.Decode(&out)
		if errors.Is(err, io.EOF) {
			r.progress.Bytes += in.consumed()
			return nil
		}
		if err != nil {
			return err
		}
		c.touch(in)
		r.progress.Records++
		c.counts.add(reason, in, nil, out.Problem)
		if in.at++; in.at%4096 == 0 {
			out.Now = r.cfg.now()
			r.show(in)
		}
	}
}
