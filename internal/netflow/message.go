package netflow

import (
	"encoding/binary"
	"net/netip"
)

// Sizes of the message headers in bytes.
const (
	headerSizeV5    = 24
	headerSizeV9    = 20 // RFC 3954 section 5.1
	headerSizeIPFIX = 16 // RFC 7011 section 3.1
)

// message is what the header of a datagram says, and where and when it came from.
type message struct {
	protocol *protocol
	version  uint16
	source   netip.Addr
	received int64 // seconds since 1970-01-01 UTC

	domain   uint32 // observation domain, v9: source id, v5: engine type and id
	sequence uint32

	// The exporter's clock and how long it had been running, both in milliseconds.
	// Times of flows are given by the latter. IPFIX does not carry it: see relative.
	exported int64
	uptime   uint32
}

// readV9 reads RFC 3954 section 5.1. The count of records is not believed: the sets
// say themselves how long they are.
func (d *Decoder) readV9(header, body []byte) {
	d.uptime = binary.BigEndian.Uint32(header[4:])
	d.exported = int64(binary.BigEndian.Uint32(header[8:])) * 1000
	d.sequence = binary.BigEndian.Uint32(header[12:])
	d.domain = binary.BigEndian.Uint32(header[16:])
	d.readSets(body)
}

// readIPFIX reads RFC 7011 section 3.1. A datagram is one message (section 10.3).
func (d *Decoder) readIPFIX(header, body []byte) {
	d.exported = int64(binary.BigEndian.Uint32(header[4:])) * 1000
	d.sequence = binary.BigEndian.Uint32(header[8:])
	d.domain = binary.BigEndian.Uint32(header[12:])

	length := int(binary.BigEndian.Uint16(header[2:])) - headerSizeIPFIX
	switch {
	case length < 0:
		d.fail(reasonTruncated, "message length %d is less than its header", length+headerSizeIPFIX)
		return
	case length > len(body):
		d.fail(reasonTruncated, "message length %d exceeds the %d bytes received", length+headerSizeIPFIX, len(body)+headerSizeIPFIX)
	case length < len(body):
		if !isZero(body[length:]) {
			d.fail(reasonTrailing, "%d bytes behind the end of the message", len(body)-length)
		}
		body = body[:length]
	}
	d.readSets(body)
}
