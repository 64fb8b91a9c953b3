package netflow

import (
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

const recordSizeV5 = 48

// readV5 reads Cisco's NetFlow export format version 5. The count is believed only
// as far as there are bytes; what stands behind so many records is no record.
func (d *Decoder) readV5(datagram []byte) {
	header, body := datagram[:headerSizeV5], datagram[headerSizeV5:]
	count := int(binary.BigEndian.Uint16(header[2:]))
	d.uptime = binary.BigEndian.Uint32(header[4:])
	d.setClock(int64(binary.BigEndian.Uint32(header[8:]))*1000 + int64(binary.BigEndian.Uint32(header[12:]))/1e6)
	d.sequence = binary.BigEndian.Uint32(header[16:])
	d.domain = uint32(binary.BigEndian.Uint16(header[20:]))
	// The upper two bits say how packets are chosen.
	rate := uint64(binary.BigEndian.Uint16(header[22:]) & 0x3fff)
	d.state.Sequence(d.protocol, d.domain, d.sequence, uint32(count))

	if have := len(body) / recordSizeV5; count > have {
		d.fail(reasonTruncated, "%d records announced, %d received", count, have)
		count = have
	}
	// All records set the same fields.
	r := &d.values.Record
	*r = flow.Record{}
	d.stamp(r)
	for range count {
		d.readRecordV5((*[recordSizeV5]byte)(body), r)
		d.finish(r, 0, rate)
		body = body[recordSizeV5:]
	}
	if len(body) > 0 && !isZero(body) {
		d.fail(reasonTrailing, "%d bytes behind the last record", len(body))
	}
}

func (d *Decoder) readRecordV5(b *[recordSizeV5]byte, r *flow.Record) {
	r.SrcAddr = netip.AddrFrom4([4]byte(b[0:]))
	r.DstAddr = netip.AddrFrom4([4]byte(b[4:]))
	r.NextHop = netip.AddrFrom4([4]byte(b[8:]))
	r.InIf = uint32(binary.BigEndian.Uint16(b[12:]))
	r.OutIf = uint32(binary.BigEndian.Uint16(b[14:]))
	r.Packets = uint64(binary.BigEndian.Uint32(b[16:]))
	r.Bytes = uint64(binary.BigEndian.Uint32(b[20:]))
	first, last := binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[28:])
	r.SrcPort = uint32(binary.BigEndian.Uint16(b[32:]))
	r.DstPort = uint32(binary.BigEndian.Uint16(b[34:]))
	r.TCPFlags = uint32(b[37])
	r.Proto = uint32(b[38])
	r.IPTos = uint32(b[39])
	r.SrcAS = uint32(binary.BigEndian.Uint16(b[40:]))
	r.DstAS = uint32(binary.BigEndian.Uint16(b[42:]))
	r.SrcNet = uint32(b[44])
	r.DstNet = uint32(b[45])
	r.Etype = packet.EtypeIPv4

	r.IcmpType, r.IcmpCode = 0, 0
	if isICMP(r.Proto) {
		r.IcmpType, r.IcmpCode = r.DstPort>>8, r.DstPort&0xff
	}
	dropFalsePorts(r)
	d.setTimes(r, d.atUptime(first), d.atUptime(last))
}
