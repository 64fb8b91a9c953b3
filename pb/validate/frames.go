package validate

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
)

// MaxFlowBytes is how long a FlowMessage may be for Reader. Real ones have 100 to 300
// bytes; a length above this is one that was read where there is none.
const MaxFlowBytes = 16 << 20

// BrokenError is what Reader returns where bytes are not FlowMessages, each preceded by
// its length. ClickHouse then stores nothing of the Kafka message but a row in
// flows_errors.
type BrokenError struct {
	Offset int64 // of the FlowMessage, its length included, in bytes from the beginning
	Reason string
}

func (e *BrokenError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason) }

// Reader reads FlowMessages, each preceded by its length as a varint: the value of a
// Kafka message, or a file of netmeta collect --output.
type Reader struct {
	in     *bufio.Reader
	offset int64
	buffer []byte
}

// NewReader returns a Reader, which reads ahead.
func NewReader(in io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(in, 64<<10)} }

// Next returns the next FlowMessage. It returns io.EOF after the last one, and a
// *BrokenError where there is none, after which there is no way to find the next.
func (r *Reader) Next() (*pb.FlowMessage, error) {
	began := r.offset
	broken := func(reason string) error { return &BrokenError{Offset: began, Reason: reason} }
	length, err := r.length()
	switch {
	case errors.Is(err, errLength):
		return nil, broken(err.Error())
	case err != nil:
		return nil, err
	case length > MaxFlowBytes:
		return nil, broken(fmt.Sprintf("a FlowMessage of %d bytes is announced: no length, or the rest of something else", length))
	}
	var body bytes.Buffer
	body.Grow(int(min(length, 64<<10)))
	n, err := io.CopyN(&body, r.in, int64(length))
	r.offset += n
	r.buffer = body.Bytes()
	if errors.Is(err, io.EOF) {
		return nil, broken(fmt.Sprintf("a FlowMessage of %d bytes is announced, and %d are left%s", length, n, r.guess(began, length)))
	}
	if err != nil {
		return nil, fmt.Errorf("read a FlowMessage: %w", err)
	}
	m := new(pb.FlowMessage)
	if err := proto.Unmarshal(r.buffer, m); err != nil {
		return nil, broken("its bytes are no FlowMessage: " + err.Error() + r.guess(began, length))
	}
	return m, nil
}

// errLength is the error of a length that is none.
var errLength = errors.New("a varint with the length of a FlowMessage is expected, and these bytes are none")

// length reads the varint in front of a FlowMessage. At the end of in it returns io.EOF.
func (r *Reader) length() (uint64, error) {
	var varint [binary.MaxVarintLen64]byte
	for i := range varint {
		if _, err := io.ReadFull(r.in, varint[i:i+1]); err != nil {
			if errors.Is(err, io.EOF) && i > 0 {
				return 0, errLength
			}
			return 0, err
		}
		r.offset++
		if varint[i] < 0x80 {
			value, n := binary.Uvarint(varint[:i+1])
			if n <= 0 {
				return 0, errLength
			}
			return value, nil
		}
	}
	return 0, errLength
}

// guess says what is usually wrong where the first bytes make no sense. What was taken
// for the length, the bytes behind it and those that follow, as far as they are here,
// are looked at as if there were no length.
func (r *Reader) guess(began int64, length uint64) string {
	if began != 0 {
		return ""
	}
	rest, _ := r.in.Peek(r.in.Buffered())
	whole := slices.Concat(binary.AppendUvarint(nil, length), r.buffer, rest)
	if whole[0] == '{' || whole[0] == '[' {
		return "; it looks like JSON, which is not read"
	}
	m := new(pb.FlowMessage)
	if proto.Unmarshal(whole, m) == nil && len(m.ProtoReflect().GetUnknown()) == 0 {
		return "; the length in front of the FlowMessage is missing"
	}
	return ""
}
