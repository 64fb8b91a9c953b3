package replay

import "encoding/binary"

// Lengths in bytes of headers, and of a NetFlow v5 record.
const (
	netflow5Header = 24
	netflow5Record = 48
	netflow9Header = 20
	ipfixHeader    = 16
	setHeader      = 4
)

// Split returns the datagrams of a file that holds UDP payloads without anything
// between them. Each ends where it says itself: NetFlow v5 by its count of records,
// IPFIX by its length, NetFlow v9 by its flow sets. What follows and does not begin
// another datagram of the same protocol belongs to the one before, as padding that the
// exporter sent. sFlow does not say where it ends, so it is always one datagram.
func Split(content []byte) [][]byte {
	var measure func([]byte) int
	switch Detect(content) {
	case NetFlow5:
		measure = measureNetFlow5
	case NetFlow9:
		measure = measureNetFlow9
	case IPFIX:
		measure = measureIPFIX
	default:
		return [][]byte{content}
	}
	var datagrams [][]byte
	for start := 0; start < len(content); {
		end := start + measure(content[start:])
		if end == start || end > len(content) || measure(content[end:]) == 0 {
			end = len(content)
		}
		datagrams = append(datagrams, content[start:end])
		start = end
	}
	return datagrams
}

// measureNetFlow5 returns the length that the datagram at the start of b says it has,
// 0 if there is none.
func measureNetFlow5(b []byte) int {
	if len(b) < netflow5Header || Detect(b) != NetFlow5 {
		return 0
	}
	return netflow5Header + netflow5Record*int(binary.BigEndian.Uint16(b[2:]))
}

// measureIPFIX is measureNetFlow5 for IPFIX (RFC 7011 section 3.1).
func measureIPFIX(b []byte) int {
	if len(b) < ipfixHeader || Detect(b) != IPFIX {
		return 0
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < ipfixHeader {
		return 0
	}
	return length
}

// measureNetFlow9 is measureNetFlow5 for NetFlow v9 (RFC 3954 section 5), whose header
// has no length. Flow sets have the ids 0, 1 and 256 and up: where an id would be and
// is 9, another datagram begins.
func measureNetFlow9(b []byte) int {
	if len(b) < netflow9Header || Detect(b) != NetFlow9 {
		return 0
	}
	const firstDataSet = 256
	end := netflow9Header
	for end+setHeader <= len(b) {
		id, length := binary.BigEndian.Uint16(b[end:]), int(binary.BigEndian.Uint16(b[end+2:]))
		if (id > 1 && id < firstDataSet) || length < setHeader || end+length > len(b) {
			break
		}
		end += length
	}
	return end
}
