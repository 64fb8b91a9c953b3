package importer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
)

// read decodes what the file has from where it stands. final tells that it will not
// grow, so that what is left at its end is a record.
func (r *run) read(ctx context.Context, in *input, final bool) error {
	if in.rows != nil {
		return r.readRows(ctx, in)
	}
	for {
		n, err := in.fill()
		if err != nil && !errors.Is(err, io.EOF) {
			// What came before the error is good.
			return errors.Join(in.explain(err), r.decode(ctx, in, false))
		}
		end := errors.Is(err, io.EOF)
		if n > 0 || end {
			if err := r.decode(ctx, in, end && final); err != nil {
				return err
			}
		}
		if end {
			r.progress.Bytes += in.consumed()
			return nil
		}
		r.show(in)
	}
}

// fill reads more behind what is not decoded yet.
func (in *input) fill() (int, error) {
	if in.start > 0 {
		in.buffer = in.buffer[:copy(in.buffer, in.buffer[in.start:])]
		in.start = 0
	}
	in.buffer = slices.Grow(in.buffer, readBytes)
	n, err := in.content.Read(in.buffer[len(in.buffer):cap(in.buffer)])
	in.buffer = in.buffer[:len(in.buffer)+n]
	return n, err
}

// decode decodes all records in the buffer.
func (r *run) decode(ctx context.Context, in *input, final bool) error {
	out := Output{Now: r.cfg.now()}
	for in.start < len(in.buffer) {
		size, err := in.decoder.Split(in.buffer[in.start:], final)
		if err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
		if in.at < in.behind {
			in.decoder.(Rereader).Skip(in.buffer[in.start : in.start+size])
			in.start += size
			in.at += int64(size)
			continue
		}
		c, err := r.sending.current(ctx)
		if err != nil {
			return err
		}
		c.touch(in)
		c.decode(in, size, &out)
		in.record++
		r.progress.Records++
	}
	return nil
}

// Lines is the Split of files of lines. What is longer than MaxRecord is cut into
// pieces, none of which is a line: Decode begins with Line.
type Lines struct{ within bool }

// Split implements Decoder.
func (l *Lines) Split(data []byte, final bool) (int, error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, nil
	}
	if final || len(data) >= MaxRecord {
		return min(len(data), MaxRecord), nil
	}
	return 0, nil
}

// Line returns a record without its end, and TooLong for the first piece of a longer line.
func (l *Lines) Line(record []byte) ([]byte, Reason) {
	ended := len(record) > 0 && record[len(record)-1] == '\n'
	if l.within {
		l.within = !ended
		return nil, Aside
	}
	if len(record) > MaxRecord || !ended && len(record) == MaxRecord {
		l.within = !ended
		return nil, TooLong
	}
	if ended {
		record = record[:len(record)-1]
		if n := len(record); n > 0 && record[n-1] == '\r' {
			record = record[:n-1]
		}
	}
	if len(record) == 0 {
		return nil, Empty
	}
	return record, Sent
}
