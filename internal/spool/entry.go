package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A segment is a run of entries, each a header and the data of one batch. Numbers are
// big endian:
//
//	 0  4  magic, with the version of this layout
//	 4  4  zero
//	 8  4  length of the data
//	12  4  flows in the data
//	16  8  number of the batch
//	24  8  number of the batch that it replaces in part; 0: of none
//	32  8  time of appending, Unix milliseconds
//	40  4  CRC-32C of the data
//	44  4  CRC-32C of bytes 0 to 43
//	48  1  done: isDone once the batch is delivered
//	49  1  length of the note
//	50 42  note
//	92  4  CRC-32C of bytes 49 to 91
//
// All but the mark and the note is written once. Those two are written over in place:
// that needs no room on a disk that is full, and leaves nothing to be cleaned up. The
// mark is one byte, so it is there or not. A note that is cut short is none: it is
// written before it is acted on.
const (
	headerBytes = 96
	sumOffset   = 44
	markOffset  = 48
	noteOffset  = 49
	noteEnd     = 92

	// MaxNote is the most bytes that fit into a note.
	MaxNote = 42

	isDone = 0xd0

	// maxData bounds what a header may claim.
	maxData = 1 << 30
)

var (
	magic      = [4]byte{'N', 'M', 'S', 1}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errNoHeader = errors.New("no header of a batch")
)

// header is what precedes a batch's data in its segment.
type header struct {
	length   int
	flows    int
	number   uint64
	replaces uint64
	appended int64
	sum      uint32

	done bool
	note []byte // nil: none
}

func (h *header) encode() (b [headerBytes]byte) {
	copy(b[:], magic[:])
	be := binary.BigEndian
	be.PutUint32(b[8:], uint32(h.length))
	be.PutUint32(b[12:], uint32(h.flows))
	be.PutUint64(b[16:], h.number)
	be.PutUint64(b[24:], h.replaces)
	be.PutUint64(b[32:], uint64(h.appended))
	be.PutUint32(b[40:], h.sum)
	be.PutUint32(b[sumOffset:], checksum(b[:sumOffset]))
	return b
}

// decodeHeader reads a header, of which b holds headerBytes.
func decodeHeader(b []byte) (header, error) {
	be := binary.BigEndian
	if [4]byte(b) != magic || be.Uint32(b[sumOffset:]) != checksum(b[:sumOffset]) {
		return header{}, errNoHeader
	}
	h := header{
		length:   int(be.Uint32(b[8:])),
		flows:    int(be.Uint32(b[12:])),
		number:   be.Uint64(b[16:]),
		replaces: be.Uint64(b[24:]),
		appended: int64(be.Uint64(b[32:])),
		sum:      be.Uint32(b[40:]),
		done:     b[markOffset] == isDone,
	}
	if h.length > maxData {
		return header{}, errNoHeader
	}
	if n := int(b[noteOffset]); n > 0 && n <= MaxNote && be.Uint32(b[noteEnd:]) == checksum(b[noteOffset:noteEnd]) {
		h.note = append([]byte(nil), b[noteOffset+1:][:n]...)
	}
	return h, nil
}

// encodeNote returns what is to be written at noteOffset.
func encodeNote(note []byte) []byte {
	b := make([]byte, headerBytes-noteOffset)
	b[0] = byte(len(note))
	copy(b[1:], note)
	n := noteEnd - noteOffset
	binary.BigEndian.PutUint32(b[n:], checksum(b[:n]))
	return b
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
