package packet

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/pb"
)

// IP protocols and UDP ports (IANA) of tunnels.
const (
	protoIPv4InIP = 4
	protoIPv6InIP = 41
	protoGRE      = 47

	portVXLAN      = 4789
	portVXLANLinux = 8472 // what Linux uses unless told otherwise
	portGeneve     = 6081
	portTeredo     = 3544
)

// tunnel is what a tunnel's header says about the packet behind it.
type tunnel struct {
	kind    pb.FlowMessage_Tunnel
	vni     uint32
	etype   uint32 // of payload
	payload []byte
}

// TunnelOf returns the kind of tunnel that a packet of this protocol and destination
// port is, and TUNNEL_NONE if it is none. It does not look at the packet: any UDP
// datagram may go to the port of a tunnel.
func TunnelOf(proto, dstPort uint32) pb.FlowMessage_Tunnel {
	switch proto {
	case protoGRE:
		return pb.FlowMessage_TUNNEL_GRE
	case protoIPv4InIP, protoIPv6InIP:
		return pb.FlowMessage_TUNNEL_IPIP
	case protoUDP:
		switch dstPort {
		case portVXLAN, portVXLANLinux:
			return pb.FlowMessage_TUNNEL_VXLAN
		case portGeneve:
			return pb.FlowMessage_TUNNEL_GENEVE
		case portTeredo:
			return pb.FlowMessage_TUNNEL_TEREDO
		}
	}
	return pb.FlowMessage_TUNNEL_NONE
}

// tunnel reads the header of a tunnel if there is one behind the IP header. A later
// fragment has none.
func (l *layer) tunnel() (t tunnel, ok bool) {
	if l.payload == nil {
		return t, false
	}
	switch l.proto {
	case protoUDP:
		return udpTunnel(l.srcPort, l.dstPort, l.payload)
	case protoGRE:
		return gre(l.payload)
	case protoIPv4InIP:
		return tunnel{pb.FlowMessage_TUNNEL_IPIP, 0, EtypeIPv4, l.payload}, true // RFC 2003, RFC 2473
	case protoIPv6InIP:
		return tunnel{pb.FlowMessage_TUNNEL_IPIP, 0, EtypeIPv6, l.payload}, true // RFC 4213, RFC 2473
	}
	return t, false
}

// udpTunnel goes by the destination port, since the source port of VXLAN and Geneve is
// a hash of the inner packet. Teredo answers from its port, too. Other protocols may
// use the same ports, so every header has to be one that a sender is allowed to write.
func udpTunnel(srcPort, dstPort uint32, b []byte) (tunnel, bool) {
	const header = 8
	if len(b) < header {
		return tunnel{}, false
	}
	size := int(binary.BigEndian.Uint16(b[4:])) - header
	b = b[header:]
	switch {
	case dstPort == portVXLAN || dstPort == portVXLANLinux:
		return vxlan(b)
	case dstPort == portGeneve:
		return geneve(b)
	case dstPort == portTeredo || srcPort == portTeredo:
		return teredo(b, size)
	}
	return tunnel{}, false
}

// gre reads RFC 2784 with the key and the sequence number of RFC 2890. The source
// routes of RFC 1701 and version 1, which is PPTP's (RFC 2637), are declined.
func gre(b []byte) (t tunnel, ok bool) {
	const hasChecksum, hasKey, hasSequence = 0x8000, 0x2000, 0x1000
	if len(b) < 4 {
		return t, false
	}
	flags, etype := binary.BigEndian.Uint16(b), uint32(binary.BigEndian.Uint16(b[2:]))
	key, size := 4, 4
	if flags&hasChecksum != 0 {
		key, size = key+4, size+4
	}
	if flags&hasKey != 0 {
		size += 4
	}
	if flags&hasSequence != 0 {
		size += 4
	}
	if flags&^(hasChecksum|hasKey|hasSequence) != 0 || len(b) < size {
		return t, false
	}
	t = tunnel{kind: pb.FlowMessage_TUNNEL_GRE, etype: etype, payload: b[size:]}
	if flags&hasKey != 0 {
		t.vni = binary.BigEndian.Uint32(b[key:])
	}
	if flags == hasKey && etype == etypeFrame {
		t.nvgre()
	}
	return t, true
}

// nvgre takes a tunnel for NVGRE if its key can be that (RFC 7637 section 3.2): 24
// bits of VSID and 8 of FlowID. On the wire, nothing else tells it from a frame in GRE
// with a key. VSIDs up to 0xfff and 0xffffff are reserved, and the keys that people
// choose for GRE are small numbers, so one is seldom taken for the other.
func (t *tunnel) nvgre() {
	const firstVSID, lastVSID = 0x001000, 0xfffffe
	if vsid := t.vni >> 8; firstVSID <= vsid && vsid <= lastVSID {
		t.kind, t.vni = pb.FlowMessage_TUNNEL_NVGRE, vsid
	}
}

// vxlan reads RFC 7348 section 5, and the group policy that Linux and others put into
// reserved bits of it (draft-smith-vxlan-group-policy).
func vxlan(b []byte) (t tunnel, ok bool) {
	const (
		size        = 8
		hasVNI      = 0x08000000
		hasPolicy   = 0x80000000
		policyFlags = 0x00480000
		policyGroup = 0x0000ffff
	)
	if len(b) < size {
		return t, false
	}
	allowed := uint32(hasVNI)
	flags, network := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if flags&hasPolicy != 0 {
		allowed |= hasPolicy | policyFlags | policyGroup
	}
	if flags&hasVNI == 0 || flags&^allowed != 0 || network&0xff != 0 {
		return t, false
	}
	return tunnel{pb.FlowMessage_TUNNEL_VXLAN, network >> 8, etypeFrame, b[size:]}, true
}

// geneve reads RFC 8926 section 3.4. What the options say is not looked at.
func geneve(b []byte) (t tunnel, ok bool) {
	const (
		size     = 8
		version  = 0xc0000000
		reserved = 0x003f0000
	)
	if len(b) < size {
		return t, false
	}
	first, network := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if first&(version|reserved) != 0 || network&0xff != 0 || !IsEtype(first&0xffff) {
		return t, false
	}
	t = tunnel{kind: pb.FlowMessage_TUNNEL_GENEVE, vni: network >> 8, etype: first & 0xffff}
	if begin := size + int(b[0]&0x3f)*4; begin <= len(b) {
		t.payload = b[begin:]
	}
	return t, true
}

// teredo reads the indications of authentication and origin that may stand in front
// of the IPv6 packet (RFC 4380 section 5.1.1). The packet has to fill the rest of the
// size bytes that the UDP header announces, for nothing else marks Teredo.
func teredo(b []byte, size int) (t tunnel, ok bool) {
	const (
		authentication, nonceAndConfirmation = 1, 9
		origin, originSize                   = 0, 8
	)
	indications := 0
	if len(b) >= 4 && b[0] == 0 && b[1] == authentication {
		indications = 4 + int(b[2]) + int(b[3]) + nonceAndConfirmation
	}
	if next := b[min(indications, len(b)):]; len(next) >= 2 && next[0] == 0 && next[1] == origin {
		indications += originSize
	}
	b = b[min(indications, len(b)):]
	if len(b) < ipv6Size || b[0]>>4 != 6 || indications+ipv6Size+int(binary.BigEndian.Uint16(b[4:])) != size {
		return t, false
	}
	return tunnel{pb.FlowMessage_TUNNEL_TEREDO, 0, EtypeIPv6, b}, true
}
