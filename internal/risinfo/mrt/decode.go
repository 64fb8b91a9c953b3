package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

var errShort = errors.New("it ends in the middle of a field")

// decoder decodes records.
type decoder struct {
	visit   func(netip.Prefix, []Origin)
	stats   Stats
	origins []Origin
	path    []byte // AS_PATH of the entry before, and its origin: peers often have the same
	origin  uint32
}

func (d *decoder) record(kind, subtype uint16, body []byte) error {
	d.stats.Records++
	switch {
	case kind == typeTableDump:
		return errors.New("the form TABLE_DUMP, which ended in 2011, is not read: get a table in the form TABLE_DUMP_V2")
	case kind == typeTableDumpV2 && subtype == subtypePeerIndexTable:
		return d.peerIndex(body)
	case kind == typeTableDumpV2 && (subtype == subtypeIPv4Unicast || subtype == subtypeIPv4AddPath):
		return d.rib(body, 4, subtype == subtypeIPv4AddPath)
	case kind == typeTableDumpV2 && (subtype == subtypeIPv6Unicast || subtype == subtypeIPv6AddPath):
		return d.rib(body, 16, subtype == subtypeIPv6AddPath)
	}
	d.stats.Skipped++
	return nil
}

// peerIndex reads how many peers there are (RFC 6396, 4.3.1).
func (d *decoder) peerIndex(body []byte) error {
	if len(body) < 8 {
		return errShort
	}
	name := int(binary.BigEndian.Uint16(body[4:]))
	if len(body) < 8+name {
		return errShort
	}
	d.stats.Peers = int(binary.BigEndian.Uint16(body[6+name:]))
	return nil
}

// rib reads a prefix and the paths to it (RFC 6396, 4.3.2; RFC 8050, 4.1), of addresses of
// so many bytes.
func (d *decoder) rib(body []byte, bytes int, addPath bool) error {
	if len(body) < 5 {
		return errShort
	}
	bits := int(body[4]) // behind the sequence number
	if bits > 8*bytes {
		return fmt.Errorf("a prefix has the length %d, addresses have %d bits", bits, 8*bytes)
	}
	size := (bits + 7) / 8
	if len(body) < 5+size+2 {
		return errShort
	}
	var address [16]byte
	copy(address[:], body[5:5+size])
	ip := netip.AddrFrom16(address)
	if bytes == 4 {
		ip = netip.AddrFrom4([4]byte(address[:4]))
	}
	// Bits behind the length may have any value (RFC 4271, 4.3).
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return err
	}
	count := int(binary.BigEndian.Uint16(body[5+size:]))
	if err := d.entries(body[7+size:], count, addPath); err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	if len(d.origins) == 0 {
		return nil
	}
	d.stats.Prefixes++
	d.visit(prefix, d.origins)
	return nil
}

// entries reads the paths to a prefix into d.origins.
func (d *decoder) entries(rest []byte, count int, addPath bool) error {
	d.origins = d.origins[:0]
	head := 8 // peer, time of origin, length of the attributes
	if addPath {
		head = 12
	}
	for range count {
		if len(rest) < head {
			return errShort
		}
		length := int(binary.BigEndian.Uint16(rest[head-2:]))
		if len(rest) < head+length {
			return errShort
		}
		path, err := findPath(rest[head : head+length])
		if err != nil {
			return err
		}
		rest = rest[head+length:]
		d.stats.Entries++
		if string(path) != string(d.path) || d.path == nil {
			if d.origin, err = originOf(path); err != nil {
				return err
			}
			d.path = append(d.path[:0], path...)
		}
		if d.origin == 0 {
			d.stats.Originless++
			continue
		}
		d.add(d.origin)
	}
	return nil
}

func (d *decoder) add(asn uint32) {
	for i := range d.origins {
		if d.origins[i].ASN == asn {
			d.origins[i].Peers++
			return
		}
	}
	d.origins = append(d.origins, Origin{ASN: asn, Peers: 1})
}

const (
	attributeASPath = 2    // RFC 4271, 5.1.2
	flagExtended    = 0x10 // the length has two bytes (RFC 4271, 4.3)
)

// findPath returns the AS_PATH among path attributes, nil if there is none.
func findPath(attributes []byte) ([]byte, error) {
	for len(attributes) > 0 {
		if len(attributes) < 3 {
			return nil, errShort
		}
		head, length := 3, int(attributes[2])
		if attributes[0]&flagExtended != 0 {
			if len(attributes) < 4 {
				return nil, errShort
			}
			head, length = 4, int(binary.BigEndian.Uint16(attributes[2:]))
		}
		if len(attributes) < head+length {
			return nil, errShort
		}
		if attributes[1] == attributeASPath {
			return attributes[head : head+length], nil
		}
		attributes = attributes[head+length:]
	}
	return nil, nil
}

// Types of segments of an AS_PATH (RFC 4271, 4.3; RFC 5065, 3).
const (
	segmentSet            = 1
	segmentSequence       = 2
	segmentConfedSequence = 3
	segmentConfedSet      = 4
)

// originOf returns the AS that originates a route: the last one of its path. Behind an
// aggregate stands an AS_SET, of ASes that are all behind it: where there are several, the
// AS that aggregated counts, which stands before the set. It is 0 where the path names none.
// AS numbers have four bytes in TABLE_DUMP_V2, whatever the peer speaks (RFC 6396, 4.3.4).
func originOf(path []byte) (origin uint32, err error) {
	for len(path) > 0 {
		if len(path) < 2 {
			return 0, errShort
		}
		kind, count := path[0], int(path[1])
		if len(path) < 2+4*count {
			return 0, errShort
		}
		switch kind {
		case segmentSequence:
			if count > 0 {
				origin = binary.BigEndian.Uint32(path[2+4*(count-1):])
			}
		case segmentSet:
			if count == 1 {
				origin = binary.BigEndian.Uint32(path[2:])
			}
		case segmentConfedSequence, segmentConfedSet:
			// Inside of one AS.
		default:
			return 0, fmt.Errorf("an AS_PATH has a segment of type %d, there are 1 to 4", kind)
		}
		path = path[2+4*count:]
	}
	return origin, nil
}
