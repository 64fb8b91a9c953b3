package scamper

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// cursor reads numbers, which warts has in network byte order. Once something is missing,
// it is bad, and everything it returns is 0.
type cursor struct {
	b   []byte
	bad bool
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cursor) uint8() uint32 {
	if b := c.take(1); b != nil {
		return uint32(b[0])
	}
	return 0
}

func (c *cursor) uint16() uint32 {
	if b := c.take(2); b != nil {
		return uint32(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text reads what ends with a byte 0.
func (c *cursor) text() []byte {
	for i, b := range c.b {
		if b == 0 {
			text := c.b[:i]
			c.b = c.b[i+1:]
			return text
		}
	}
	c.b, c.bad = nil, true
	return nil
}

// params are the optional values of an object: which there are is said by flags, from 1 on,
// of which each byte has seven, the lowest first, and a highest bit where another follows.
type params struct {
	cursor
	flags []byte
	byte  int
	left  byte // flags of that byte that were not returned yet
}

// params reads flags, and then takes the values away from c: what of them is not known
// costs nothing.
func (c *cursor) params() params {
	n := 0
	for n < len(c.b) && c.b[n]&0x80 != 0 {
		n++
	}
	p := params{flags: c.take(n + 1)}
	if c.bad || p.flags[0] == 0 {
		p.flags = nil
		return p
	}
	p.left = p.flags[0] & 0x7f
	p.b = c.take(int(c.uint16()))
	return p
}

// next returns the number of the next flag, and 0 behind the last.
func (p *params) next() int {
	for p.byte < len(p.flags) {
		if p.left != 0 {
			bit := bits.TrailingZeros8(p.left)
			p.left &= p.left - 1
			return p.byte*7 + bit + 1
		}
		if p.byte++; p.byte < len(p.flags) {
			p.left = p.flags[p.byte] & 0x7f
		}
	}
	return 0
}

// addresses are those that an object has named so far, by their numbers from 0.
type addresses struct {
	all     []netip.Addr
	unknown bool // one was asked for that is not there
}

func (a *addresses) reset() { a.all, a.unknown = a.all[:0], false }

// read reads an address: its length, its kind and itself; or, behind a length of 0, the
// number of one that the object has named before.
func (a *addresses) read(c *cursor) netip.Addr {
	size := int(c.uint8())
	if size == 0 {
		return a.find(c)
	}
	kind, b := c.uint8(), c.take(size)
	address := addressOf(kind, b)
	if !c.bad {
		a.all = append(a.all, address)
	}
	return address
}

// find reads the number of an address.
func (a *addresses) find(c *cursor) netip.Addr {
	number := c.uint32()
	if c.bad {
		return netip.Addr{}
	}
	if uint64(number) >= uint64(len(a.all)) {
		a.unknown = true
		return netip.Addr{}
	}
	return a.all[number]
}

// addressOf returns an address by its kind; one of another kind than IP is invalid.
func addressOf(kind uint32, b []byte) (a netip.Addr) {
	const ipv4, ipv6 = 1, 2
	if kind == ipv4 && len(b) == 4 || kind == ipv6 && len(b) == 16 {
		a, _ = netip.AddrFromSlice(b)
	}
	return a
}
