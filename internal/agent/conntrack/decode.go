// Package conntrack makes flow records of the connections that Linux tracks
// (linux/netfilter/nfnetlink_conntrack.h): of their start, of their end, and from time to
// time of what long ones have carried since.
//
// decode.go reads a message, track.go knows what has been reported of which connection and
// fills records, source_linux.go asks the kernel.
package conntrack

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
)

// Types of messages: NFNL_SUBSYS_CTNETLINK with enum cntl_msg_types.
const (
	TypeNew    = 1 << 8
	typeGet    = 1<<8 | 1
	TypeDelete = 1<<8 | 2
)

// enum ctattr_type, and those of what is nested there.
const (
	attributeOriginal         = 1
	attributeReply            = 2
	attributeProtocolInfo     = 4
	attributeCountersOriginal = 9
	attributeCountersReply    = 10
	attributeID               = 12
	attributeTimestamp        = 20

	tupleIP       = 1
	tupleProtocol = 2

	ipv4Source      = 1
	ipv4Destination = 2
	ipv6Source      = 3
	ipv6Destination = 4

	protocolNumber      = 1
	protocolSource      = 2
	protocolDestination = 3
	protocolICMPType    = 5
	protocolICMPCode    = 6
	protocolICMPv6Type  = 8
	protocolICMPv6Code  = 9

	countersPackets = 1
	countersBytes   = 2

	timestampStart = 1
	timestampStop  = 2

	infoTCP      = 1
	infoTCPState = 1
)

// Directions of a connection: index of its tuples and counters.
const (
	original = 0 // as who began it sees it
	reply    = 1
)

// Connection is one connection, as a message has it.
type Connection struct {
	ID       uint32
	Tuple    [2]Tuple // what packets have in each direction when they arrive at this host
	Counters [2]Counters
	Counted  bool   // the kernel counts (net.netfilter.nf_conntrack_acct)
	Start    uint64 // nanoseconds since 1970, 0 if unknown (net.netfilter.nf_conntrack_timestamp)
	Stop     uint64
	TCPState uint8 // enum tcp_conntrack
}

// Tuple is what identifies the packets of one direction.
type Tuple struct {
	Source, Destination         netip.Addr
	Protocol                    uint8
	SourcePort, DestinationPort uint16
	ICMPType, ICMPCode          uint8
}

// Counters count what was seen in one direction. Bytes are those of IP packets.
type Counters struct{ Packets, Bytes uint64 }

// Reasons that a message could not be read.
var (
	ErrShort     = errors.New("message of conntrack without a header")
	ErrAttribute = errors.New("attribute of a message of conntrack is cut off")
	ErrTuple     = errors.New("message of conntrack without addresses")
)

// Decode reads a message of TypeNew or TypeDelete.
func (c *Connection) Decode(m netlink.Message) error {
	if len(m.Body) < netlink.FamilySize {
		return ErrShort
	}
	*c = Connection{}
	a := netlink.Attributes(m.Body[netlink.FamilySize:])
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			break
		}
		if !c.attribute(kind, v) {
			return ErrAttribute
		}
	}
	switch {
	case a.Broken():
		return ErrAttribute
	case !c.Tuple[original].complete() || !c.Tuple[reply].complete():
		return ErrTuple
	}
	return nil
}

// attribute reads one, and tells whether it could be read.
func (c *Connection) attribute(kind uint16, v netlink.Attributes) bool {
	switch kind {
	case attributeOriginal:
		return c.Tuple[original].read(v)
	case attributeReply:
		return c.Tuple[reply].read(v)
	case attributeCountersOriginal:
		c.Counted = true
		return c.Counters[original].read(v)
	case attributeCountersReply:
		c.Counted = true
		return c.Counters[reply].read(v)
	case attributeID:
		return number32(v, &c.ID)
	case attributeTimestamp:
		return c.timestamp(v)
	case attributeProtocolInfo:
		return c.protocolInfo(v)
	}
	return true
}

func (c *Connection) timestamp(a netlink.Attributes) bool {
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		switch kind {
		case timestampStart:
			ok = number64(v, &c.Start)
		case timestampStop:
			ok = number64(v, &c.Stop)
		}
		if !ok {
			return false
		}
	}
}

func (c *Connection) protocolInfo(a netlink.Attributes) bool {
	kind, v, _, ok := a.Next()
	if !ok || kind != infoTCP {
		return true
	}
	for a = v; ; {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		if kind == infoTCPState && len(v) > 0 {
			c.TCPState = v[0]
		}
	}
}

func (t *Tuple) complete() bool { return t.Source.IsValid() && t.Destination.IsValid() }

func (t *Tuple) read(a netlink.Attributes) bool {
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		switch kind {
		case tupleIP:
			ok = t.addresses(v)
		case tupleProtocol:
			ok = t.protocol(v)
		}
		if !ok {
			return false
		}
	}
}

func (t *Tuple) addresses(a netlink.Attributes) bool {
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		switch kind {
		case ipv4Source, ipv6Source:
			t.Source, ok = netip.AddrFromSlice(v)
		case ipv4Destination, ipv6Destination:
			t.Destination, ok = netip.AddrFromSlice(v)
		}
		if !ok {
			return false
		}
	}
}

func (t *Tuple) protocol(a netlink.Attributes) bool {
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		if len(v) == 0 {
			return false
		}
		switch kind {
		case protocolNumber:
			t.Protocol = v[0]
		case protocolSource:
			ok = number16(v, &t.SourcePort)
		case protocolDestination:
			ok = number16(v, &t.DestinationPort)
		case protocolICMPType, protocolICMPv6Type:
			t.ICMPType = v[0]
		case protocolICMPCode, protocolICMPv6Code:
			t.ICMPCode = v[0]
		}
		if !ok {
			return false
		}
	}
}

func (n *Counters) read(a netlink.Attributes) bool {
	for {
		kind, v, rest, ok := a.Next()
		if a = rest; !ok {
			return !a.Broken()
		}
		switch kind {
		case countersPackets:
			ok = number64(v, &n.Packets)
		case countersBytes:
			ok = number64(v, &n.Bytes)
		}
		if !ok {
			return false
		}
	}
}

func number16(b []byte, n *uint16) bool {
	if len(b) < 2 {
		return false
	}
	*n = binary.BigEndian.Uint16(b)
	return true
}

func number32(b []byte, n *uint32) bool {
	if len(b) < 4 {
		return false
	}
	*n = binary.BigEndian.Uint32(b)
	return true
}

func number64(b []byte, n *uint64) bool {
	if len(b) < 8 {
		return false
	}
	*n = binary.BigEndian.Uint64(b)
	return true
}
