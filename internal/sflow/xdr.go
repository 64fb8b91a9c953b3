package sflow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// xdr takes values in their external data representation (RFC 4506) off the front
// of b. After the first that cannot be read, bad is set and everything reads as
// zero, so that a structure is read as a whole and bad asked once. What was wrong
// becomes an error only when err is called: datagrams full of errors shall not cost
// more than good ones.
type xdr struct {
	b    []byte
	bad  bool
	want uint64 // bytes that were wanted when there were less
	kind uint32 // type of an address that has none of the known ones
}

// uint32 takes an unsigned integer.
func (x *xdr) uint32() uint32 {
	v := x.next(4)
	if v == nil {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// opaque takes a length and as many bytes, which are not copied. The length is not
// rounded up to a multiple of four: samples and records consist of whole words, and
// where an agent has it wrong, the length is nearer to the truth than the rounding.
func (x *xdr) opaque() []byte {
	return x.next(uint64(x.uint32()))
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
		x.bad, x.kind = true, kind
	}
	return netip.Addr{}
}

// next takes n bytes, or none and sets bad.
func (x *xdr) next(n uint64) []byte {
	if !x.has(n) {
		return nil
	}
	v := x.b[:n:n]
	x.b = x.b[n:]
	return v
}

// has tells whether n bytes are left, and sets bad if not.
func (x *xdr) has(n uint64) bool {
	if !x.bad && n > uint64(len(x.b)) {
		x.bad, x.want = true, n
	}
	return !x.bad
}

// err says why bad is set.
func (x *xdr) err() error {
	if x.kind != 0 {
		return fmt.Errorf("address of unknown type %d", x.kind)
	}
	return fmt.Errorf("%d bytes wanted, %d left", x.want, len(x.b))
}
