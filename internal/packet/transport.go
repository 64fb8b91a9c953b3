package packet

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
)

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

// transport reads the header of protocol r.Proto. The ports are its first four
// bytes, so they are known even where the rest was cut off.
func transport(b []byte, r *flow.Record) {
	switch {
	case HasPorts(r.Proto) && len(b) >= 4:
		r.SrcPort = uint32(binary.BigEndian.Uint16(b))
		r.DstPort = uint32(binary.BigEndian.Uint16(b[2:]))
		if r.Proto == protoTCP && len(b) >= 14 {
			r.TCPFlags = uint32(b[13])
		}
	case (r.Proto == protoICMP || r.Proto == protoICMPv6) && len(b) >= 2:
		r.IcmpType = uint32(b[0])
		r.IcmpCode = uint32(b[1])
	}
}
