package queue

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/segmentio/kafka-go"
)

// Layout of a record batch of magic 2 (Kafka protocol guide, "Record Batch"), with
// the four bytes of its size in front that a produce request and
// protocol.RawRecordSet want.
const (
	sizeBytes    = 4
	headerBytes  = 61
	prefixBytes  = sizeBytes + headerBytes
	lengthOffset = sizeBytes + 8
	lengthCounts = 12 // bytes of the header that come before what length counts
	crcOffset    = sizeBytes + 17
	crcCovers    = sizeBytes + 21 // from here to the end
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder makes record batches. It is for one goroutine.
type encoder struct {
	compression kafka.Compression
	lz4         *lz4.Writer
	out         []byte
}

func newEncoder(compression kafka.Compression) *encoder {
	e := &encoder{compression: compression}
	if compression == kafka.Lz4 {
		// kafka-go's codec would do, but keeps 8 MiB for blocks of 4 MiB where a batch
		// has less than one. Kafka reads independent blocks only, which is the default.
		e.lz4 = lz4.NewWriter(e)
		_ = e.lz4.Apply(lz4.BlockSizeOption(lz4.Block256Kb), lz4.ChecksumOption(false)) // both are valid
	}
	return e
}

// Write appends to the batch; it is there for the compressor.
func (e *encoder) Write(b []byte) (int, error) {
	e.out = append(e.out, b...)
	return len(b), nil
}

// encode returns messages as a record batch without an identity, preceded by its size.
// The error is the compressor's.
func (e *encoder) encode(messages []*message, now time.Time) ([]byte, error) {
	e.out = append(e.out[:0], make([]byte, prefixBytes)...)
	if err := e.writeRecords(messages); err != nil {
		return nil, err
	}

	be, b := binary.BigEndian, e.out
	be.PutUint32(b, uint32(len(b)-sizeBytes))
	be.PutUint32(b[lengthOffset:], uint32(len(b)-sizeBytes-lengthCounts))
	h := b[sizeBytes:]
	be.PutUint32(h[12:], 0xffffffff) // partition leader epoch: the broker fills it in
	h[16] = 2                        // magic
	be.PutUint16(h[21:], uint16(e.compression))
	be.PutUint32(h[23:], uint32(len(messages)-1)) // last offset delta
	be.PutUint32(h[57:], uint32(len(messages)))
	nobody := identity{session: session{id: none, epoch: none, sequence: none}, sent: now}
	return slices.Concat(nobody.stamp(b), b[prefixBytes:]), nil
}

// stamp returns the header of batch, and the size before it, under this identity. The
// batch itself stays as it is: an attempt that was given up may still be reading it.
func (i identity) stamp(batch []byte) []byte {
	prefix := slices.Clone(batch[:prefixBytes])
	be, h := binary.BigEndian, prefix[sizeBytes:]
	be.PutUint64(h[27:], uint64(i.sent.UnixMilli())) // base timestamp
	be.PutUint64(h[35:], uint64(i.sent.UnixMilli())) // max timestamp
	be.PutUint64(h[43:], uint64(i.session.id))
	be.PutUint16(h[51:], uint16(i.session.epoch))
	be.PutUint32(h[53:], uint32(i.session.sequence))
	crc := crc32.Checksum(prefix[crcCovers:], castagnoli)
	be.PutUint32(prefix[crcOffset:], crc32.Update(crc, castagnoli, batch[prefixBytes:]))
	return prefix
}

// messagesIn returns how many messages a batch holds.
func messagesIn(batch []byte) int {
	return int(binary.BigEndian.Uint32(batch[sizeBytes+57:]))
}

func (e *encoder) writeRecords(messages []*message) error {
	w := e.compressor()
	var header [32]byte
	for i, m := range messages {
		if _, err := w.Write(appendRecordHeader(header[:0], i, len(m.data))); err != nil {
			return err
		}
		if _, err := w.Write(m.data); err != nil {
			return err
		}
		if _, err := w.Write(noHeaders); err != nil {
			return err
		}
	}
	return w.Close()
}

func (e *encoder) compressor() io.WriteCloser {
	switch {
	case e.lz4 != nil:
		e.lz4.Reset(e)
		return e.lz4
	case e.compression == 0:
		return uncompressed{e}
	default:
		return e.compression.Codec().NewWriter(e)
	}
}

type uncompressed struct{ io.Writer }

func (uncompressed) Close() error { return nil }

var noHeaders = []byte{0} // their number, as a varint

// appendRecordHeader appends what precedes the value of the i-th record: its
// length, attributes, deltas of timestamp and offset, no key, and the value's length.
func appendRecordHeader(b []byte, i, valueBytes int) []byte {
	var fields [24]byte
	f := append(fields[:0], 0)           // attributes
	f = binary.AppendVarint(f, 0)        // timestamp delta
	f = binary.AppendVarint(f, int64(i)) // offset delta
	f = binary.AppendVarint(f, -1)       // no key
	f = binary.AppendVarint(f, int64(valueBytes))
	b = binary.AppendVarint(b, int64(len(f)+valueBytes+len(noHeaders)))
	return append(b, f...)
}
