package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// A file says how large its parts are, and the library takes that much memory before it
// reads them. So what is said is looked at first: in a file that is damaged, anything.
const (
	mostFooter   = 16 << 20
	mostElements = 1 << 20  // of lists in the footer
	mostPage     = 64 << 20 // bytes; writers make pages of 1 MiB or so
	mostValues   = 1 << 24  // of a page
	mostHeader   = 64 << 10 // of a page, with statistics
)

var errBounds = errors.New("it says sizes that cannot be")

// checkFooter looks at the metadata at the end of a file.
func checkFooter(r io.ReaderAt, size int64) error {
	var end [8]byte
	if _, err := r.ReadAt(end[:], size-int64(len(end))); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(end[:]))
	if length > mostFooter || length > size-int64(len(end)+len(Magic)) {
		return damaged(errBounds)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-int64(len(end))-length); err != nil {
		return err
	}
	w := walker{data: footer, elements: mostElements}
	if err := w.structure(0, func([]int16, int64) {}); err != nil {
		return damaged(fmt.Errorf("its footer: %w", err))
	}
	return nil
}

// checkPages looks at the heads of all pages of a column.
func checkPages(r io.ReaderAt, c *format.ColumnMetaData) error {
	at := c.DataPageOffset
	if first := c.DictionaryPageOffset; first > 0 && first < at {
		at = first
	}
	for left := c.TotalCompressedSize; left > 0; {
		length, compressed, err := checkPage(r, at, left)
		if err != nil {
			return damaged(fmt.Errorf("a page of column %v: %w", c.PathInSchema, err))
		}
		at, left = at+length+compressed, left-length-compressed
	}
	return nil
}

// Fields of a PageHeader, and of the heads within it (parquet.thrift).
const (
	fieldUncompressed = 2
	fieldCompressed   = 3
	fieldDataPage     = 5
	fieldDictionary   = 7
	fieldDataPageV2   = 8
	fieldNumValues    = 1 // of each of these
)

func checkPage(r io.ReaderAt, at, left int64) (length, compressed int64, err error) {
	for _, size := range []int64{1 << 10, mostHeader} {
		head := make([]byte, min(size, left))
		if _, err := r.ReadAt(head, at); err != nil {
			return 0, 0, err
		}
		uncompressed, values := int64(0), int64(0)
		w := walker{data: head, elements: mostElements}
		err = w.structure(0, func(path []int16, value int64) {
			switch {
			case len(path) == 1 && path[0] == fieldUncompressed:
				uncompressed = value
			case len(path) == 1 && path[0] == fieldCompressed:
				compressed = value
			case len(path) == 2 && path[1] == fieldNumValues && (path[0] == fieldDataPage || path[0] == fieldDictionary || path[0] == fieldDataPageV2):
				values = value
			}
		})
		length = int64(w.at)
		if err == nil && (uncompressed < 0 || uncompressed > mostPage || compressed < 0 || compressed > left-length || values < 0 || values > mostValues) {
			return 0, 0, errBounds
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
	}
	return length, compressed, err
}

// walker goes through a structure of Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
type walker struct {
	data     []byte
	at       int
	elements int // of lists that may come
	path     [16]int16
}

// Types of the compact protocol.
const (
	typeTrue = iota + 1
	typeFalse
	typeByte
	typeI16
	typeI32
	typeI64
	typeDouble
	typeBinary
	typeList
	typeSet
	_ // map
	typeStruct
)

// structure calls visit for every number, with the numbers of the fields that lead to it.
func (w *walker) structure(depth int, visit func(path []int16, value int64)) error {
	if depth == len(w.path) {
		return errors.New("structures too deep")
	}
	for last := int16(0); ; {
		b, err := w.byte()
		if err != nil || b == 0 {
			return err
		}
		if delta := b >> 4; delta != 0 {
			last += int16(delta)
		} else {
			id, err := w.number()
			if err != nil {
				return err
			}
			last = int16(id)
		}
		w.path[depth] = last
		if kind := b & 15; kind != typeTrue && kind != typeFalse { // whose value is the type
			if err := w.value(kind, depth, visit); err != nil {
				return err
			}
		}
	}
}

func (w *walker) value(kind byte, depth int, visit func(path []int16, value int64)) error {
	switch kind {
	case typeTrue, typeFalse, typeByte: // elements of lists
		return w.skip(1)
	case typeI16, typeI32, typeI64:
		n, err := w.number()
		visit(w.path[:depth+1], n)
		return err
	case typeDouble:
		return w.skip(8)
	case typeBinary:
		n, err := w.unsigned()
		if err != nil {
			return err
		}
		return w.skip(n)
	case typeList, typeSet:
		return w.list(depth, visit)
	case typeStruct:
		return w.structure(depth+1, visit)
	}
	return fmt.Errorf("a field of type %d", kind) // maps: Parquet has none
}

func (w *walker) list(depth int, visit func(path []int16, value int64)) error {
	b, err := w.byte()
	n := uint64(b >> 4)
	if n == 15 && err == nil {
		n, err = w.unsigned()
	}
	if err != nil {
		return err
	}
	if n > uint64(w.elements) {
		return errBounds
	}
	w.elements -= int(n)
	for range n {
		if err := w.value(b&15, depth, visit); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) byte() (byte, error) {
	if w.at == len(w.data) {
		return 0, io.ErrUnexpectedEOF
	}
	w.at++
	return w.data[w.at-1], nil
}

func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.data)-w.at) {
		return io.ErrUnexpectedEOF
	}
	w.at += int(n)
	return nil
}

func (w *walker) unsigned() (uint64, error) {
	n, size := binary.Uvarint(w.data[w.at:])
	if size < 0 {
		return 0, errors.New("a number that is too long")
	}
	if size == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	w.at += size
	return n, nil
}

// number reads a signed number, in zigzag form.
func (w *walker) number() (int64, error) {
	n, err := w.unsigned()
	return int64(n>>1) ^ -int64(n&1), err
}
