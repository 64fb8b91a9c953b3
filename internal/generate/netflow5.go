package generate

import "encoding/binary"

// Lengths of NetFlow v5 (Cisco, "NetFlow Export Datagram Format", tables B-3 and B-4).
const (
	netflow5Header = 24
	netflow5Record = 48
	netflow5Most   = (maxDatagram - netflow5Header) / netflow5Record // below the protocol's 30

	// maxNetFlow5Rate is what fits into the 14 bits of the sampling interval.
	maxNetFlow5Rate = 1<<14 - 1
)

// netflow5Encoder writes NetFlow v5: IPv4 only, the sampling rate in every header.
type netflow5Encoder struct {
	profile  *profile
	boot     int64
	sequence uint32 // flows sent before this datagram
	count    int
	buf      []byte
}

func newNetFlow5Encoder(p *profile, boot int64) *netflow5Encoder {
	return &netflow5Encoder{profile: p, boot: boot, buf: make([]byte, netflow5Header, maxDatagram)}
}

func (e *netflow5Encoder) room() bool { return e.count < netflow5Most }

func (e *netflow5Encoder) announcement(int64) []byte { return nil }

func (e *netflow5Encoder) add(o *observation, now int64) {
	last := uint32(now - e.boot)
	src, dst, hop := o.SrcAddr.As4(), o.DstAddr.As4(), o.NextHop.As4()
	dstPort := uint16(o.DstPort)
	if o.Proto == protoICMP {
		dstPort = uint16(o.IcmpType<<8 | o.IcmpCode)
	}
	b := e.buf
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	b = append(b, hop[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(o.InIf))
	b = binary.BigEndian.AppendUint16(b, uint16(o.OutIf))
	b = binary.BigEndian.AppendUint32(b, uint32(o.Packets))
	b = binary.BigEndian.AppendUint32(b, uint32(o.Bytes))
	b = binary.BigEndian.AppendUint32(b, last-o.lasted)
	b = binary.BigEndian.AppendUint32(b, last)
	b = binary.BigEndian.AppendUint16(b, uint16(o.SrcPort))
	b = binary.BigEndian.AppendUint16(b, dstPort)
	b = append(b, 0, byte(o.TCPFlags), byte(o.Proto), byte(o.IPTos))
	b = binary.BigEndian.AppendUint16(b, uint16(o.SrcAS))
	b = binary.BigEndian.AppendUint16(b, uint16(o.DstAS))
	e.buf = append(b, byte(o.SrcNet), byte(o.DstNet), 0, 0)
	e.count++
}

func (e *netflow5Encoder) datagram(now int64) []byte {
	const packetSampling = 1 << 14 // sampling mode, in front of the interval
	b := e.buf[:0]
	b = binary.BigEndian.AppendUint16(b, 5)
	b = binary.BigEndian.AppendUint16(b, uint16(e.count))
	b = binary.BigEndian.AppendUint32(b, uint32(now-e.boot))
	b = binary.BigEndian.AppendUint32(b, uint32(now/1000))
	b = binary.BigEndian.AppendUint32(b, uint32(now%1000)*1e6)
	b = binary.BigEndian.AppendUint32(b, e.sequence)
	b = append(b, byte(e.profile.number>>8), byte(e.profile.number))
	binary.BigEndian.AppendUint16(b, packetSampling|uint16(e.profile.samplers()[0]))

	complete := e.buf
	e.sequence += uint32(e.count)
	e.buf, e.count = e.buf[:netflow5Header], 0
	return complete
}
