package netflow

import (
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Sizes of the message headers in bytes.
const (
	headerSizeV5    = 24
	headerSizeV9    = 20 // RFC 3954 section 5.1
	headerSizeIPFIX = 16 // RFC 7011 section 3.1
)

// message is what the header of a datagram says, and where and when it came from.
type message struct {
	protocol flow.Protocol
	flowType pb.FlowMessage_FlowType
	version  uint16
	source   netip.Addr
	received int64 // seconds since 1970-01-01 UTC

	domain   uint32 // observation domain, v9: source id, v5: engine type and id
	sequence uint32

	// The exporter's clock, when that means, and how long it had been running, all in
	// milliseconds. Times of flows are given by the latter. IPFIX does not carry it, but
	// may say elsewhere when the exporter was started: see relative.
	exported, written int64
	uptime            uint32
	boot              uint64
}

// readV9 reads RFC 3954 section 5.1. The count of records is not believed: the sets
// say themselves how long they are.
func (d *Decoder) readV9(datagram []byte) {
	d.uptime = binary.BigEndian.Uint32(datagram[4:])
	d.setClock(int64(binary.BigEndian.Uint32(datagram[8:])) * 1000)
	d.sequence = binary.BigEndian.Uint32(datagram[12:])
	d.domain = binary.BigEndian.Uint32(datagram[16:])
	d.state.Sequence(d.protocol, d.domain, d.sequence, 1)
	d.readSets(datagram, headerSizeV9)
}

// readIPFIX reads RFC 7011 section 3.1. A datagram is one message (section 10.3).
func (d *Decoder) readIPFIX(datagram []byte) {
	d.setClock(int64(binary.BigEndian.Uint32(datagram[4:])) * 1000)
	d.sequence = binary.BigEndian.Uint32(datagram[8:])
	d.domain = binary.BigEndian.Uint32(datagram[12:])

	length := int(binary.BigEndian.Uint16(datagram[2:]))
	switch {
	case length < headerSizeIPFIX:
		d.fail(reasonTruncated, "message length %d is less than its header", length)
		return
	case length > len(datagram):
		d.fail(reasonTruncated, "message length %d exceeds the %d bytes received", length, len(datagram))
	case length < len(datagram):
		if !isZero(datagram[length:]) {
			d.fail(reasonTrailing, "%d bytes behind the end of the message", len(datagram)-length)
		}
		datagram = datagram[:length]
	}
	d.readSets(datagram, headerSizeIPFIX)
	d.state.Sequence(d.protocol, d.domain, d.sequence, d.units())
}

// units is by how much an IPFIX sequence number grows from this message to the next:
// its data records, options among them (RFC 7011 section 3.1). Of a message that could
// not be read as a whole it is not known.
func (d *Decoder) units() uint32 {
	if d.err != nil || d.held {
		return exporter.UnknownUnits
	}
	return uint32(d.dataRecords)
}
