package generate

import "encoding/binary"

// Lengths of an Ethernet frame in bytes (IEEE 802.3 and 802.1Q).
const (
	ethernetHeader     = 14
	vlanTag            = 4
	frameCheckSequence = 4
	shortestFrame      = 64
	longestSample      = 128 // how much of a frame an exporter copies
)

// frameLength is the length of the packet's frame with its check sequence, which is how
// sFlow counts (frame_length of sampled_header).
func (o *observation) frameLength() uint32 {
	n := ethernetHeader + o.length + frameCheckSequence
	if o.VlanID != 0 {
		n += vlanTag
	}
	return max(n, shortestFrame)
}

// capturedLength is how much of the frame the sample holds.
func (o *observation) capturedLength() uint32 {
	return min(o.frameLength()-frameCheckSequence, longestSample)
}

// appendFrame appends the headers of the packet: Ethernet, perhaps 802.1Q, IP and
// transport. Lengths and the IPv4 checksum are those of the complete packet.
func appendFrame(b []byte, o *observation) []byte {
	b = appendMAC(b, o.DstMac)
	b = appendMAC(b, o.SrcMac)
	if o.VlanID != 0 {
		const priority = 1 << 13 // in front of the id, for readers to take away
		b = binary.BigEndian.AppendUint16(b, 0x8100)
		b = binary.BigEndian.AppendUint16(b, priority|uint16(o.VlanID))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(o.Etype))
	if o.Etype == 0x0800 {
		b = appendIPv4(b, o)
	} else {
		b = appendIPv6(b, o)
	}
	return appendTransport(b, o)
}

func appendMAC(b []byte, mac uint64) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(mac>>32))
	return binary.BigEndian.AppendUint32(b, uint32(mac))
}

func appendIPv4(b []byte, o *observation) []byte {
	src, dst := o.SrcAddr.As4(), o.DstAddr.As4()
	start := len(b)
	b = append(b, 0x45, byte(o.IPTos))
	b = binary.BigEndian.AppendUint16(b, uint16(o.length))
	b = binary.BigEndian.AppendUint16(b, uint16(o.FragmentID))
	b = binary.BigEndian.AppendUint16(b, 1<<14) // do not fragment
	b = append(b, byte(o.IPTTL), byte(o.Proto), 0, 0)
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	const checksumAt = 10
	binary.BigEndian.PutUint16(b[start+checksumAt:], checksum(b[start:]))
	return b
}

// checksum is the Internet checksum (RFC 1071) of an even number of bytes.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func appendIPv6(b []byte, o *observation) []byte {
	const header = 40
	src, dst := o.SrcAddr.As16(), o.DstAddr.As16()
	b = binary.BigEndian.AppendUint32(b, 6<<28|o.IPTos<<20|o.IPv6FlowLabel)
	b = binary.BigEndian.AppendUint16(b, uint16(o.length-header))
	b = append(b, byte(o.Proto), byte(o.IPTTL))
	b = append(b, src[:]...)
	return append(b, dst[:]...)
}

// appendTransport appends the TCP, UDP or ICMP header. Its checksum covers a payload
// that does not exist, so it is a number like any other.
func appendTransport(b []byte, o *observation) []byte {
	noise := uint32(o.noise >> 16)
	switch o.Proto {
	case protoTCP:
		b = binary.BigEndian.AppendUint16(b, uint16(o.SrcPort))
		b = binary.BigEndian.AppendUint16(b, uint16(o.DstPort))
		b = binary.BigEndian.AppendUint32(b, noise)
		b = binary.BigEndian.AppendUint32(b, ^noise)
		b = append(b, 5<<4, byte(o.TCPFlags), 0xff, 0xff)
		b = binary.BigEndian.AppendUint16(b, uint16(noise))
		return append(b, 0, 0) // urgent pointer
	case protoUDP:
		b = binary.BigEndian.AppendUint16(b, uint16(o.SrcPort))
		b = binary.BigEndian.AppendUint16(b, uint16(o.DstPort))
		b = binary.BigEndian.AppendUint16(b, uint16(o.length-o.leastLength()+8))
		return binary.BigEndian.AppendUint16(b, uint16(noise)|1)
	}
	b = append(b, byte(o.IcmpType), byte(o.IcmpCode))
	b = binary.BigEndian.AppendUint16(b, uint16(noise))
	return binary.BigEndian.AppendUint32(b, noise)
}
