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

// tunnelKind returns the kind of tunnel that a packet may be by its protocol and ports.
// It goes by the destination port, since the source port of VXLAN and Geneve is a hash
// of the inner packet; but Teredo answers from its port, too. A later fragment has no
// header of a tunnel.
func (l *layer) tunnelKind() pb.FlowMessage_Tunnel {
	if l.payload == nil {
		return pb.FlowMessage_TUNNEL_NONE
	}
	if kind := TunnelOf(l.proto, l.dstPort); kind != pb.FlowMessage_TUNNEL_NONE {
		return kind
	}
	if l.proto == protoUDP && l.srcPort == portTeredo {
		return pb.FlowMessage_TUNNEL_TEREDO
	}
	return pb.FlowMessage_TUNNEL_NONE
}

// tunnel reads the header of a tunnel of the kind that the packet may be. Other
// protocols may use the same ports, so every header has to be one that a sender is
// allowed to write.
func (l *layer) tunnel(kind pb.FlowMessage_Tunnel) (t tunnel, ok bool) {
	switch kind {
	case pb.FlowMessage_TUNNEL_GRE:
		return gre(l.payload)
	case pb.FlowMessage_TUNNEL_IPIP: // RFC 2003, RFC 2473, RFC 4213
		t = tunnel{kind: kind, etype: EtypeIPv4, payload: l.payload}
		if l.proto == protoIPv6InIP {
			t.etype = EtypeIPv6
		}
		return t, true
	}
	const header = 8 // of UDP, with its length in the middle
	if len(l.payload) < header {
		return t, false
	}
	b, size := l.payload[header:], int(binary.BigEndian.Uint16(l.payload[4:]))-header
	switch kind {
	case pb.FlowMessage_TUNNEL_VXLAN:
		return vxlan(b)
	case pb.FlowMessage_TUNNEL_GENEVE:
		return geneve(b)
	case pb.FlowMessage_TUNNEL_TEREDO:
		return teredo(b, size)
	}
	return t, false
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
