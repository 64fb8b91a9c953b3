package packet

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Ethertypes (IANA "IEEE 802 Numbers") that are walked through or reported.
const (
	EtypeIPv4 = 0x0800
	EtypeIPv6 = 0x86dd

	etypeFrame         = 0x6558 // Transparent Ethernet Bridging: a frame in a tunnel
	etypeDot1Q         = 0x8100 // IEEE 802.1Q, customer tag
	etypeDot1AD        = 0x88a8 // IEEE 802.1ad, service tag
	etypeStacked       = 0x9100 // service tag of switches older than 802.1ad
	etypeMPLS          = 0x8847 // RFC 3032 section 5
	etypeMPLSMulticast = 0x8848 // RFC 5332
	etypePPPoESession  = 0x8864 // RFC 2516
)

// IsEtype tells an Ethertype from the length that an IEEE 802.3 frame has in its
// place (IEEE 802.3 section 3.2.6).
func IsEtype(v uint32) bool {
	return v >= 0x0600 && v <= 0xffff
}

// MAC returns an address as FlowMessage has it: six bytes, the first one highest.
func MAC(a [6]byte) uint64 {
	return uint64(binary.BigEndian.Uint16(a[:]))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}

// link is what the headers in front of an IP packet say. Its methods read one kind
// of header each and return the IP packet behind it, or what may be one; they return
// nil if something else follows or nothing.
type link struct {
	srcMAC, dstMAC uint64
	vlan           uint32
	etype          uint32

	hasMPLS bool
	labels  flow.Labels

	hasPPP         bool
	addressControl uint32
}

func (l *link) write(r *flow.Record) {
	if l.srcMAC|l.dstMAC != 0 {
		r.SrcMac, r.DstMac = l.srcMAC, l.dstMAC
	}
	if l.vlan != 0 {
		r.VlanID = l.vlan
	}
	if l.etype != 0 {
		r.Etype = l.etype
	}
	if l.hasMPLS {
		r.HasMPLS, r.Labels = true, l.labels
	}
	if l.hasPPP {
		r.HasPPP, r.PPPAddressControl = true, l.addressControl
	}
}

func (l *link) ethernet(b []byte) []byte {
	if len(b) < 14 {
		return nil
	}
	l.dstMAC = MAC([6]byte(b))
	l.srcMAC = MAC([6]byte(b[6:]))
	etype, b := uint32(binary.BigEndian.Uint16(b[12:])), b[14:]

	for outermost := true; isTag(etype); outermost = false {
		if len(b) < 4 {
			return nil
		}
		if outermost {
			l.vlan = uint32(binary.BigEndian.Uint16(b) & 0x0fff)
		}
		etype, b = uint32(binary.BigEndian.Uint16(b[2:])), b[4:]
	}
	if !IsEtype(etype) {
		return nil
	}
	l.etype = etype
	return l.payload(etype, b)
}

func isTag(etype uint32) bool {
	return etype == etypeDot1Q || etype == etypeDot1AD || etype == etypeStacked
}

// payload reads what stands behind an Ethertype.
func (l *link) payload(etype uint32, b []byte) []byte {
	switch etype {
	case EtypeIPv4:
		return ofVersion(4, b)
	case EtypeIPv6:
		return ofVersion(6, b)
	case etypeMPLS, etypeMPLSMulticast:
		return l.mpls(b)
	case etypePPPoESession:
		return l.pppoe(b)
	}
	return nil
}

// ofVersion returns b if that is the version in its first byte.
func ofVersion(version byte, b []byte) []byte {
	if len(b) == 0 || b[0]>>4 != version {
		return nil
	}
	return b
}

// mpls reads a stack of labels. No label says what follows the last one; an IP packet
// is known by its version, and anything else, like a pseudowire with its control word
// (RFC 4385), is left alone.
func (l *link) mpls(b []byte) []byte {
	labels, size := Labels(b)
	l.hasMPLS, l.labels = size > 0, labels
	if labels.MPLSCount == 0 {
		return nil
	}
	return b[size:]
}

// pppoe reads the six bytes of a session header (RFC 2516 section 4). A code other
// than 0 is not session data.
func (l *link) pppoe(b []byte) []byte {
	if len(b) < 6 || b[1] != 0 {
		return nil
	}
	return l.pointToPoint(b[6:])
}

// PPP protocol numbers (IANA "PPP DLL Protocol Numbers").
const (
	pppIPv4          = 0x0021
	pppIPv6          = 0x0057
	pppMPLS          = 0x0281
	pppMPLSMulticast = 0x0283
)

// pointToPoint reads the protocol field of PPP, which links may shorten to one byte,
// and the address and control bytes in front of it, which they may leave away.
func (l *link) pointToPoint(b []byte) []byte {
	var addressControl uint32
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		addressControl, b = 0xff03, b[2:]
	}
	if len(b) < 2 {
		return nil
	}
	l.hasPPP, l.addressControl = true, addressControl
	protocol, size := binary.BigEndian.Uint16(b), 2
	if b[0]&1 != 0 {
		protocol, size = uint16(b[0]), 1
	}
	switch b = b[size:]; protocol {
	case pppIPv4:
		return ofVersion(4, b)
	case pppIPv6:
		return ofVersion(6, b)
	case pppMPLS, pppMPLSMulticast:
		return l.mpls(b)
	}
	return nil
}
