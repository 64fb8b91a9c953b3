package flow

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
)

// Values of variable length are cut off beyond these bounds, so that a message has a
// greatest size and the path from socket to queue fixed buffers.
const (
	MaxASPath      = 128 // AS numbers of Record.ASPath
	MaxCommunities = 128 // of Record.Communities
	MaxName        = 80  // bytes of Record.ApplicationName and Counters.Name
)

// MaxEncodedSize bounds what one AppendDelimited adds, and is the capacity that it
// needs. Every field at its longest, with the length in front, takes 2044 bytes. That is
// less than a power of two, so that a mask makes a position in a message valid; behind
// the last one there is room for the words that are written, however few bytes of one
// count.
const MaxEncodedSize = maxPosition + 1 + wordBytes

const (
	maxPosition = 1<<11 - 1
	wordBytes   = 8
)

// Wire types of a field (protocol buffers' encoding, "Message Structure").
const (
	wireVarint = 0
	wireBytes  = 2
)

// encoder writes one message into room, from at on. Memory for the longest message is
// there before the first field, so that no field has to look for it.
//
// Encoding is half of the work that a flow makes, so this is less plain than it could
// be: an encoder is handed from field to field by value, which keeps it in registers,
// and a number is spread over the bytes of a varint without a loop, because its length
// is nothing that a processor could predict.
type encoder struct {
	room *[MaxEncodedSize]byte
	at   int
}

// begin makes room for a message at the end of b, behind so many bytes for its length.
func begin(b []byte, lengthBytes int) (_ []byte, e encoder) {
	n := len(b)
	b = slices.Grow(b, MaxEncodedSize)
	return b, encoder{(*[MaxEncodedSize]byte)(b[n : n+MaxEncodedSize]), lengthBytes}
}

// finish puts the length in front of the message and returns b with the message behind
// what it had. A message with more or less bytes for its length than it takes is moved.
// That is right, and slow: the bytes to read are still being written.
func (e encoder) finish(b []byte, lengthBytes int) []byte {
	size := e.at - lengthBytes
	if size < 0x80 {
		if lengthBytes != 1 {
			copy(e.room[1:], e.room[lengthBytes:e.at])
		}
		e.room[0] = byte(size)
		return b[:len(b)+1+size]
	}
	if lengthBytes != 2 {
		copy(e.room[2:], e.room[lengthBytes:e.at])
	}
	e.room[0], e.room[1] = byte(size)|0x80, byte(size>>7)
	return b[:len(b)+2+size]
}

// word writes the lower bytes of v, of which the lowest comes first.
func (e encoder) word(v uint64, bytes int) encoder {
	at := e.at & maxPosition
	binary.LittleEndian.PutUint64(e.room[at:at+wordBytes], v)
	e.at += bytes
	return e
}

// tag is the number of a field as it is written in front of a varint: one byte below
// field 16, two below 2048, of which the first has its highest bit set.
type tag struct {
	key  uint64
	size int // bytes of key
}

// field is inlined and worked out by the compiler.
func field(number uint64) tag {
	if number < 16 {
		return tag{number << 3, 1}
	}
	return tag{number<<3&0x7f | 0x80 | number>>4<<8, 2}
}

// key writes a tag and the wire type behind it.
func (e encoder) key(t tag, wire uint64) encoder { return e.word(t.key|wire, t.size) }

// uint is inlined, as all that follow are, so that fields that are 0, which most are,
// cost a comparison.
func (e encoder) uint(t tag, v uint32) encoder {
	if v == 0 {
		return e
	}
	return e.number(t, v)
}

func (e encoder) uint64(t tag, v uint64) encoder {
	if v == 0 {
		return e
	}
	return e.number64(t, v)
}

// number writes a field at once: it is no longer than a word.
func (e encoder) number(t tag, v uint32) encoder {
	if v < 0x80 {
		return e.word(t.key|uint64(v)<<(8*t.size&63), t.size+1)
	}
	// Seven bits each, from halves to quarters of four bytes. The fifth is the rest.
	spread := v&0x3fff | v&0x0fffc000<<2
	spread = spread&0x007f007f | spread&0x3f803f80<<1
	word := uint64(spread) | uint64(v>>28)<<32
	shape := &varints[bits.Len32(v)]
	return e.word(t.key|(word|shape.marks)<<(8*t.size&63), t.size+shape.size)
}

func (e encoder) number64(t tag, v uint64) encoder {
	if v <= math.MaxUint32 {
		return e.number(t, uint32(v))
	}
	return e.key(t, wireVarint).varint(v)
}

func (e encoder) varint(v uint64) encoder {
	for ; v >= 0x80; v >>= 7 {
		e = e.word(v|0x80, 1)
	}
	return e.word(v, 1)
}

// varints are the shapes of varints by the number of bits in them: how many bytes, and
// the marks that all of them have but the last.
var varints = func() (shapes [33]struct {
	marks uint64
	size  int
}) {
	for n := range shapes {
		size := max(1, (n+6)/7)
		shapes[n].size = size
		shapes[n].marks = 0x8080808080808080 & (1<<(8*(size-1)) - 1)
	}
	return shapes
}()

func (e encoder) bool(t tag, v bool) encoder {
	if v {
		return e.number(t, 1)
	}
	return e
}

func (e encoder) address(t tag, a netip.Addr) encoder {
	switch {
	case a.Is4():
		v4 := a.As4()
		return e.key(t, wireBytes).word(4|uint64(binary.LittleEndian.Uint32(v4[:]))<<8, 5)
	case a.Is6():
		v6 := a.As16()
		return e.key(t, wireBytes).word(16, 1).
			word(binary.LittleEndian.Uint64(v6[:]), 8).
			word(binary.LittleEndian.Uint64(v6[8:]), 8)
	}
	return e
}

func (e encoder) string(t tag, s string) encoder {
	if s == "" {
		return e
	}
	s = s[:min(len(s), MaxName)]
	e = e.key(t, wireBytes).varint(uint64(len(s)))
	e.at += copy(e.room[e.at:], s)
	return e
}

// packed writes repeated numbers as one field.
func (e encoder) packed(t tag, numbers []uint32) encoder {
	if len(numbers) == 0 {
		return e
	}
	size := 0
	for _, n := range numbers {
		size += varints[bits.Len32(n)].size
	}
	e = e.key(t, wireBytes).varint(uint64(size))
	for _, n := range numbers {
		e = e.varint(uint64(n))
	}
	return e
}
