package packet

import "encoding/binary"

// IP protocol numbers (IANA "Assigned Internet Protocol Numbers") whose headers are
// read.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// HasPorts tells whether an IP protocol begins with a source and a destination
// port, as TCP, UDP, SCTP, DCCP and UDP-Lite do.
func HasPorts(proto uint32) bool {
	switch proto {
	case protoTCP, protoUDP, protoDCCP, protoSCTP, protoUDPLite:
		return true
	}
	return false
}

// transport reads the header at the beginning of the payload. The ports are its first
// four bytes, so they are known even where the rest was cut off.
func (l *layer) transport() {
	b := l.payload
	switch {
	case HasPorts(l.proto) && len(b) >= 4:
		l.srcPort = uint32(binary.BigEndian.Uint16(b))
		l.dstPort = uint32(binary.BigEndian.Uint16(b[2:]))
		if l.proto == protoTCP && len(b) >= 14 {
			l.tcpFlags = uint32(b[13])
		}
	case (l.proto == protoICMP || l.proto == protoICMPv6) && len(b) >= 2:
		l.icmpType = uint32(b[0])
		l.icmpCode = uint32(b[1])
	}
}
