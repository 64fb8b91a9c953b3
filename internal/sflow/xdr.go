package sflow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// xdr takes values in their external data representation (RFC 4506) off the front
// of b. After the first that cannot be read, bad is set and everything reads as
// zero, so that a structure is read as a whole and bad asked once.
type xdr struct {
	b    []byte
	bad  bool
	lack // why, if bad
}

// lack is why a value could not be read. The zero value is no reason.
type lack struct {
	want uint64 // bytes that were wanted when there were less
	left int    // that there were
	kind uint32 // type of an address that has none of the known ones
}

// uint32 takes an unsigned integer.
func (x *xdr) uint32() uint32 {
	if len(x.b) < 4 {
		x.missing(4)
		return 0
	}
	v := binary.BigEndian.Uint32(x.b)
	x.b = x.b[4:]
	return v
}

// opaque takes a length and as many bytes, which are not copied. The length is not
// rounded up to a multiple of four: samples and records consist of whole words, and
// where an agent has it wrong, the length is nearer to the truth than the rounding.
func (x *xdr) opaque() []byte {
	return x.next(uint64(x.uint32()))
}

// framed takes a sample or a record: its format, and the bytes that its length
// announces.
func (x *xdr) framed() (format uint32, body []byte) {
	const header = 8
	if len(x.b) < header {
		x.missing(header)
		return 0, nil
	}
	format, n := word(x.b, 0), uint64(word(x.b, 1))
	x.b = x.b[header:]
	return format, x.next(n)
}

// words takes a count and as many words of four bytes, which are not copied.
func (x *xdr) words() []byte {
	return x.next(4 * uint64(x.uint32()))
}

// address takes an address preceded by its type (sFlow version 5, struct address).
// It is the zero Addr for type 0, unknown, which has no bytes.
func (x *xdr) address() netip.Addr {
	switch kind := x.uint32(); kind {
	case 0:
	case 1:
		if b := x.next(4); b != nil {
			return netip.AddrFrom4([4]byte(b))
		}
	case 2:
		if b := x.next(16); b != nil {
			return netip.AddrFrom16([16]byte(b)).Unmap()
		}
	default:
		x.bad, x.b, x.kind = true, nil, kind
	}
	return netip.Addr{}
}

// next takes n bytes, or none and sets bad.
func (x *xdr) next(n uint64) []byte {
	if n > uint64(len(x.b)) {
		x.missing(n)
		return nil
	}
	v := x.b[:n:n]
	x.b = x.b[n:]
	return v
}

// missing sets bad because there are less than n bytes.
func (x *xdr) missing(n uint64) {
	if !x.bad {
		x.bad, x.want, x.left = true, n, len(x.b)
	}
	x.b = nil
}

func (l lack) String() string {
	if l.kind != 0 {
		return fmt.Sprintf("address of unknown type %d", l.kind)
	}
	return fmt.Sprintf("%d bytes wanted, %d left", l.want, l.left)
}

// word returns the word at index i of a structure that is made of words.
func word(b []byte, i int) uint32 {
	return binary.BigEndian.Uint32(b[4*i:])
}
