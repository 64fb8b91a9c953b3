package flow

import (
	"net/netip"
	"slices"
)

// Values of variable length are cut off beyond these bounds, so that a message has a
// greatest size and the path from socket to queue fixed buffers.
const (
	MaxASPath      = 128 // AS numbers of Record.ASPath
	MaxCommunities = 128 // of Record.Communities
	MaxName        = 128 // bytes of Record.ApplicationName and Counters.Name
)

// MaxEncodedSize bounds what one AppendDelimited adds: every field at its longest, and
// the length in front of it.
const MaxEncodedSize = 2093

const lengthBytes = 2 // enough for MaxEncodedSize as a varint

// Wire types of a field (protocol buffers' encoding, "Message Structure").
const (
	wireVarint = 0
	wireBytes  = 2
)

// encoder writes one message into b, from at on. Memory for the longest message is
// there before the first field, so that no field has to look for it.
//
// Nothing here is more general than it has to be: encoding is a third of the work that
// a flow makes.
type encoder struct {
	b  []byte
	at int
}

// begin makes room for a message at the end of b.
func begin(b []byte) ([]byte, encoder) {
	n := len(b)
	b = slices.Grow(b, MaxEncodedSize)
	return b, encoder{b[n : n+MaxEncodedSize], lengthBytes}
}

// finish puts the length in front of the message and returns b with the message behind
// what it had. Most messages are longer than 127 bytes or close to it, so two bytes are
// set aside for the length. A varint may be padded, but a short message is moved
// instead, to keep the encoding canonical.
func (e *encoder) finish(b []byte) []byte {
	size := e.at - lengthBytes
	if size < 0x80 {
		e.b[0] = byte(size)
		copy(e.b[1:], e.b[lengthBytes:e.at])
		return b[:len(b)+1+size]
	}
	e.b[0], e.b[1] = byte(size)|0x80, byte(size>>7)
	return b[:len(b)+e.at]
}

// key writes the number and the wire type of a field below 2048.
func (e *encoder) key(field, wire uint) {
	key := field<<3 | wire
	if key < 0x80 {
		e.b[e.at] = byte(key)
		e.at++
		return
	}
	e.b[e.at], e.b[e.at+1] = byte(key)|0x80, byte(key>>7)
	e.at += 2
}

func (e *encoder) varint(v uint64) {
	i := e.at
	for v >= 0x80 {
		e.b[i] = byte(v) | 0x80
		v >>= 7
		i++
	}
	e.b[i] = byte(v)
	e.at = i + 1
}

// uint is inlined, so that fields that are 0, which most are, cost a comparison.
func (e *encoder) uint(field uint, v uint64) {
	if v != 0 {
		e.number(field, v)
	}
}

func (e *encoder) number(field uint, v uint64) {
	e.key(field, wireVarint)
	e.varint(v)
}

func (e *encoder) bool(field uint, v bool) {
	if v {
		e.key(field, wireVarint)
		e.varint(1)
	}
}

func (e *encoder) address(field uint, a netip.Addr) {
	switch {
	case a.Is4():
		e.key(field, wireBytes)
		v4 := a.As4()
		e.b[e.at] = 4
		copy(e.b[e.at+1:], v4[:])
		e.at += 5
	case a.Is6():
		e.key(field, wireBytes)
		v6 := a.As16()
		e.b[e.at] = 16
		copy(e.b[e.at+1:], v6[:])
		e.at += 17
	}
}

func (e *encoder) string(field uint, s string) {
	if s == "" {
		return
	}
	s = s[:min(len(s), MaxName)]
	e.key(field, wireBytes)
	e.varint(uint64(len(s)))
	e.at += copy(e.b[e.at:], s)
}

// packed writes repeated numbers as one field.
func (e *encoder) packed(field uint, numbers []uint32) {
	if len(numbers) == 0 {
		return
	}
	e.key(field, wireBytes)
	size := 0
	for _, n := range numbers {
		size += varintSize(n)
	}
	e.varint(uint64(size))
	for _, n := range numbers {
		e.varint(uint64(n))
	}
}

func varintSize(v uint32) int {
	size := 1
	for v >= 0x80 {
		v >>= 7
		size++
	}
	return size
}
