// Package netlink speaks the kernel's netlink protocol (RFC 3549; linux/netlink.h and
// linux/netfilter/nfnetlink.h) as far as the agent needs it: reading messages in place,
// writing requests, and sockets that count what the kernel dropped.
//
// Messages are read where they were received and nothing is allocated for one, which is
// why none of the libraries for netlink is used.
package netlink

import (
	"encoding/binary"
	"errors"
	"syscall"
)

// Sizes of headers.
const (
	headerSize    = 16 // struct nlmsghdr
	attributeSize = 4  // struct nlattr
	FamilySize    = 4  // struct nfgenmsg, in front of the attributes of every message of netfilter
)

// Types and flags of linux/netlink.h.
const (
	typeNoop  = 1
	typeError = 2
	typeDone  = 3

	flagRequest = 1
	flagAck     = 4
	flagDump    = 0x300

	attributeType = 0x3fff // without the flags for nested ones and byte order
)

// Message is one netlink message, in place.
type Message struct {
	Type     uint16
	Flags    uint16
	Sequence uint32
	Body     []byte // what follows struct nlmsghdr
}

// ErrTruncated says that lengths inside a message exceed it.
var ErrTruncated = errors.New("netlink message is cut off")

// Next splits the first message off what was received from a socket. ok is false at the
// end. What cannot be a message is ErrTruncated, and the rest cannot be read then.
func Next(b []byte) (m Message, rest []byte, ok bool, err error) {
	if len(b) == 0 {
		return m, nil, false, nil
	}
	if len(b) < headerSize {
		return m, nil, false, ErrTruncated
	}
	length := int(binary.NativeEndian.Uint32(b))
	if length < headerSize || length > len(b) {
		return m, nil, false, ErrTruncated
	}
	m = Message{
		Type: binary.NativeEndian.Uint16(b[4:]), Flags: binary.NativeEndian.Uint16(b[6:]),
		Sequence: binary.NativeEndian.Uint32(b[8:]), Body: b[headerSize:length],
	}
	return m, b[min(align(length), len(b)):], true, nil
}

// Done tells whether the message ends a dump.
func (m Message) Done() bool { return m.Type == typeDone }

// Acknowledges tells whether the message is the kernel's answer to a request, and gives
// its error: nil for success, otherwise a syscall.Errno.
func (m Message) Acknowledges() (yes bool, err error) {
	if m.Type != typeError {
		return false, nil
	}
	if len(m.Body) < 4 {
		return true, ErrTruncated
	}
	return true, errno(int32(binary.NativeEndian.Uint32(m.Body)))
}

// Attributes is a sequence of netlink attributes, in place.
type Attributes []byte

// Next splits off the first attribute. ok is false at the end; what is left there and
// cannot be read leaves a rest that is not empty, see Broken.
func (a Attributes) Next() (kind uint16, value []byte, rest Attributes, ok bool) {
	if len(a) < attributeSize {
		return 0, nil, a, false
	}
	length := int(binary.NativeEndian.Uint16(a))
	if length < attributeSize || length > len(a) {
		return 0, nil, a, false
	}
	return binary.NativeEndian.Uint16(a[2:]) & attributeType, a[attributeSize:length], a[min(align(length), len(a)):], true
}

// Broken tells whether the rest that Next returned last is one that cannot be read.
func (a Attributes) Broken() bool { return len(a) > 0 }

func align(n int) int { return (n + 3) &^ 3 }

// Request builds one message.
type Request struct{ b []byte }

// NewRequest begins a request of a type, whose body begins with fixed.
func NewRequest(kind uint16, fixed []byte) *Request {
	b := make([]byte, headerSize, 256)
	binary.NativeEndian.PutUint16(b[4:], kind)
	r := &Request{append(b, fixed...)}
	r.flags(flagRequest)
	return r
}

func (r *Request) flags(more uint16) {
	binary.NativeEndian.PutUint16(r.b[6:], binary.NativeEndian.Uint16(r.b[6:])|more)
}

// Family is struct nfgenmsg for an address family and a resource (res_id).
func Family(family uint8, resource uint16) []byte {
	return []byte{family, 0, byte(resource >> 8), byte(resource)}
}

// Add appends an attribute.
func (r *Request) Add(kind uint16, value ...byte) *Request {
	r.b = binary.NativeEndian.AppendUint16(r.b, uint16(attributeSize+len(value)))
	r.b = binary.NativeEndian.AppendUint16(r.b, kind)
	r.b = append(r.b, value...)
	for len(r.b)%4 != 0 {
		r.b = append(r.b, 0)
	}
	return r
}

// finish fills in length and sequence number.
func (r *Request) finish(sequence uint32) []byte {
	binary.NativeEndian.PutUint32(r.b, uint32(len(r.b)))
	binary.NativeEndian.PutUint32(r.b[8:], sequence)
	return r.b
}

// Uint32 are the bytes of an attribute in network byte order, as netfilter has numbers.
func Uint32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// Uint16 is Uint32 for 16 bits.
func Uint16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }

func errno(code int32) error {
	if code == 0 {
		return nil
	}
	return syscall.Errno(-code)
}
