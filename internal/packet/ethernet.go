// Package packet reads the headers of a sampled packet into a flow record.
//
// Exporters send the first 64 to 256 bytes of a packet, so a header that ends in
// the middle is normal and no error: each function fills the fields of the headers
// that are there as a whole and leaves the others as it found them. It expects a
// record whose packet fields are zero, and it allocates nothing.
//
// The outermost IP header gives the addresses, the protocol and the ports. What a
// tunnel carries (GRE, IP in IP, VXLAN, ESP) is not looked at.
package packet

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Ethertypes (IANA "IEEE 802 Numbers") that are walked through or reported.
const (
	EtypeIPv4 = 0x0800
	EtypeIPv6 = 0x86dd

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

// Ethernet reads a frame from its destination address on, without preamble: MAC
// addresses, the outermost VLAN id, the Ethertype of the network layer and what IP
// and IP reads. Tags, PPPoE and MPLS labels in between are walked through. Of an
// IEEE 802.3 frame with LLC only the MAC addresses and the VLAN are read.
func Ethernet(b []byte, r *flow.Record) {
	if len(b) < 14 {
		return
	}
	r.DstMac = MAC([6]byte(b))
	r.SrcMac = MAC([6]byte(b[6:]))
	etype, b := binary.BigEndian.Uint16(b[12:]), b[14:]

	for outermost := true; isTag(etype); outermost = false {
		if len(b) < 4 {
			return
		}
		if outermost {
			r.VlanID = uint32(binary.BigEndian.Uint16(b) & 0x0fff)
		}
		etype, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	if !IsEtype(uint32(etype)) {
		return
	}
	r.Etype = uint32(etype)
	switch etype {
	case EtypeIPv4:
		ipv4(b, r)
	case EtypeIPv6:
		ipv6(b, r)
	case etypeMPLS, etypeMPLSMulticast:
		MPLS(b, r)
	case etypePPPoESession:
		pppoe(b, r)
	}
}

// MAC returns an address as FlowMessage has it: six bytes, the first one highest.
func MAC(a [6]byte) uint64 {
	return uint64(binary.BigEndian.Uint16(a[:]))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}

func isTag(etype uint16) bool {
	return etype == etypeDot1Q || etype == etypeDot1AD || etype == etypeStacked
}

// MPLS reads a packet from its first label on (RFC 3032 section 2.1). No label says
// what follows the last one; an IP packet is known by its version, and anything
// else, like a pseudowire with its control word (RFC 4385), is left alone.
func MPLS(b []byte, r *flow.Record) {
	for len(b) >= 4 {
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			IP(b, r)
			return
		}
	}
}

// pppoe reads the six bytes of a session header (RFC 2516 section 4). A code other
// than 0 is not session data.
func pppoe(b []byte, r *flow.Record) {
	if len(b) < 6 || b[1] != 0 {
		return
	}
	PPP(b[6:], r)
}

// PPP protocol numbers (IANA "PPP DLL Protocol Numbers").
const (
	pppIPv4          = 0x0021
	pppIPv6          = 0x0057
	pppMPLS          = 0x0281
	pppMPLSMulticast = 0x0283
)

// PPP reads a packet from its protocol field on (RFC 1661 section 2), or from the
// address and control bytes of HDLC framing (RFC 1662 section 3.1), which links may
// leave away just as they may shorten the protocol field to one byte.
func PPP(b []byte, r *flow.Record) {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) < 2 {
		return
	}
	protocol, size := binary.BigEndian.Uint16(b), 2
	if b[0]&1 != 0 {
		protocol, size = uint16(b[0]), 1
	}
	switch b = b[size:]; protocol {
	case pppIPv4:
		ipv4(b, r)
	case pppIPv6:
		ipv6(b, r)
	case pppMPLS, pppMPLSMulticast:
		MPLS(b, r)
	}
}
