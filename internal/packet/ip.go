package packet

import (
	"encoding/binary"
	"net/netip"
)

// read reads an IP packet up to its transport header, and tells whether it is one.
func (l *layer) read(b []byte) bool {
	switch {
	case len(b) >= ipv4Size && b[0]>>4 == 4:
		l.ipv4(b)
	case len(b) >= ipv6Size && b[0]>>4 == 6:
		l.ipv6(b)
	default:
		return false
	}
	l.transport()
	return true
}

// Sizes of the headers, without options and extensions.
const (
	ipv4Size = 20
	ipv6Size = 40
)

// ipv4 reads RFC 791 section 3.1. Only the first fragment begins with the transport
// header: in the others, user data stands in its place.
func (l *layer) ipv4(b []byte) {
	l.etype = EtypeIPv4
	l.tos = uint32(b[1])
	l.fragmentID = uint32(binary.BigEndian.Uint16(b[4:]))
	l.fragmentOffset = uint32(binary.BigEndian.Uint16(b[6:]) & 0x1fff)
	l.ttl = uint32(b[8])
	l.proto = uint32(b[9])
	l.src = netip.AddrFrom4([4]byte(b[12:]))
	l.dst = netip.AddrFrom4([4]byte(b[16:]))

	header := int(b[0]&0x0f) * 4
	b = clip(b, int(binary.BigEndian.Uint16(b[2:])))
	if l.fragmentOffset == 0 && header >= ipv4Size && header <= len(b) {
		l.payload = b[header:]
	}
}

// ipv6 reads RFC 8200 section 3.
func (l *layer) ipv6(b []byte) {
	first := binary.BigEndian.Uint32(b)
	l.etype = EtypeIPv6
	l.tos = first >> 20 & 0xff
	l.flowLabel = first & 0xfffff
	l.proto = uint32(b[6])
	l.ttl = uint32(b[7])
	l.src = netip.AddrFrom16([16]byte(b[8:]))
	l.dst = netip.AddrFrom16([16]byte(b[24:]))

	payload := int(binary.BigEndian.Uint16(b[4:]))
	l.extensions(clip(b[ipv6Size:], payload))
}

// IPv6 extension headers that have another header behind them (IANA "IPv6 Extension
// Header Types"). ESP is encrypted from there on, so it counts as the protocol.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAH          = 51
	extDestination = 60
)

// extensions walks from one extension header to the next (RFC 8200 section 4), up
// to the transport header. l.proto is always the last number that could be read,
// so that of a chain that was cut off the deepest known header is reported. Every
// turn takes at least eight bytes off b, which bounds the loop.
func (l *layer) extensions(b []byte) {
	for isExtension(l.proto) {
		if len(b) < 8 {
			return
		}
		size := 8 + 8*int(b[1])
		switch l.proto {
		case extAH:
			size = 8 + 4*int(b[1]) // RFC 4302 section 2.2: in words of 4 bytes, less 2
		case extFragment:
			size = 8
			l.fragmentOffset = uint32(binary.BigEndian.Uint16(b[2:]) >> 3)
			l.fragmentID = binary.BigEndian.Uint32(b[4:])
		}
		l.proto = uint32(b[0])
		if l.fragmentOffset > 0 || size > len(b) {
			return
		}
		b = b[size:]
	}
	l.payload = b
}

func isExtension(proto uint32) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extAH, extDestination:
		return true
	}
	return false
}

// clip cuts off what follows the packet: the padding of a short Ethernet frame
// would otherwise be read as ports. A length of 0 is none: jumbograms (RFC 2675)
// and packets that the network card is yet to divide have it.
func clip(b []byte, length int) []byte {
	if length == 0 || length >= len(b) {
		return b
	}
	return b[:length]
}
