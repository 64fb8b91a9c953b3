package packet

import (
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
)

// IP reads an IPv4 or IPv6 packet, whichever its version says, and the ports or the
// ICMP type behind it. Anything else leaves r as it is.
func IP(b []byte, r *flow.Record) {
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 {
	case 4:
		ipv4(b, r)
	case 6:
		ipv6(b, r)
	}
}

// ipv4 reads RFC 791 section 3.1.
func ipv4(b []byte, r *flow.Record) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	r.Etype = EtypeIPv4
	r.IPTos = uint32(b[1])
	r.FragmentID = uint32(binary.BigEndian.Uint16(b[4:]))
	r.FragmentOffset = uint32(binary.BigEndian.Uint16(b[6:]) & 0x1fff)
	r.IPTTL = uint32(b[8])
	r.Proto = uint32(b[9])
	r.SrcAddr = netip.AddrFrom4([4]byte(b[12:]))
	r.DstAddr = netip.AddrFrom4([4]byte(b[16:]))

	// Only the first fragment begins with the transport header: in the others, user
	// data stands in its place.
	header := int(b[0]&0x0f) * 4
	b = clip(b, int(binary.BigEndian.Uint16(b[2:])))
	if r.FragmentOffset > 0 || header < 20 || header > len(b) {
		return
	}
	transport(b[header:], r)
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

// ipv6 reads RFC 8200 section 3.
func ipv6(b []byte, r *flow.Record) {
	if len(b) < 40 || b[0]>>4 != 6 {
		return
	}
	first := binary.BigEndian.Uint32(b)
	r.Etype = EtypeIPv6
	r.IPTos = first >> 20 & 0xff
	r.IPv6FlowLabel = first & 0xfffff
	r.Proto = uint32(b[6])
	r.IPTTL = uint32(b[7])
	r.SrcAddr = netip.AddrFrom16([16]byte(b[8:]))
	r.DstAddr = netip.AddrFrom16([16]byte(b[24:]))

	payload := int(binary.BigEndian.Uint16(b[4:]))
	if payload > 0 {
		payload += 40
	}
	extensions(clip(b, payload)[40:], r)
}

// extensions walks from one extension header to the next (RFC 8200 section 4), up
// to the transport header. r.Proto is always the last number that could be read,
// so that of a chain that was cut off the deepest known header is reported. Every
// turn takes at least eight bytes off b, which bounds the loop.
func extensions(b []byte, r *flow.Record) {
	for isExtension(r.Proto) {
		if len(b) < 8 {
			return
		}
		size := 8 + 8*int(b[1])
		switch r.Proto {
		case extAH:
			size = 8 + 4*int(b[1]) // RFC 4302 section 2.2: in words of 4 bytes, less 2
		case extFragment:
			size = 8
			r.FragmentOffset = uint32(binary.BigEndian.Uint16(b[2:]) >> 3)
			r.FragmentID = binary.BigEndian.Uint32(b[4:])
		}
		r.Proto = uint32(b[0])
		if r.FragmentOffset > 0 || size > len(b) {
			return
		}
		b = b[size:]
	}
	transport(b, r)
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
