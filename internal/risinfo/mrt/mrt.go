// Package mrt reads routing tables in MRT form (RFC 6396), as RouteViews and RIPE RIS
// publish them: which ASes originate which prefix, and how many of the collector's peers say
// so.
//
// It reads TABLE_DUMP_V2 with the subtypes RIB_IPV4_UNICAST and RIB_IPV6_UNICAST, also in
// the form with path identifiers (RFC 8050), and skips all other records. Of a path only its
// origin is looked at: no attribute is decoded otherwise, since a full table has more than
// fifty million of them.
package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// Types and subtypes of records (IANA, MRT Types and Subtype Codes).
const (
	typeTableDump   = 12
	typeTableDumpV2 = 13

	subtypePeerIndexTable = 1
	subtypeIPv4Unicast    = 2
	subtypeIPv6Unicast    = 4
	subtypeIPv4AddPath    = 8
	subtypeIPv6AddPath    = 10
)

const (
	headerSize = 12
	// maxRecord is above what any collector writes: a prefix that 2,000 peers have, with
	// paths of 4 KiB each.
	maxRecord = 16 << 20
)

// ErrNoRoutes is the error of a file that can be read but holds no unicast route.
var ErrNoRoutes = errors.New("no IPv4 or IPv6 unicast routes in TABLE_DUMP_V2 form (RFC 6396)")

// Origin is an AS that originates a prefix.
type Origin struct {
	ASN   uint32
	Peers int // that have a path to it
}

// Stats counts what was read.
type Stats struct {
	Peers      int // of the collector, as its index says
	Records    int // of all types
	Skipped    int // records of other types and address families
	Prefixes   int
	Entries    int // paths, of all peers together
	Originless int // paths that name no origin: empty, or an AS_SET of several alone
}

// Read reads an MRT file, not compressed, to its end and calls visit for each prefix, with
// at least one origin. The slice is used again. A prefix can come more than once.
//
// An error says at which byte the file is damaged; what was visited before is not all of the
// table. Nothing is read beyond what lengths in the file allow.
func Read(r io.Reader, visit func(netip.Prefix, []Origin)) (Stats, error) {
	d := decoder{visit: visit}
	var header [headerSize]byte
	var body []byte
	var offset int64
	for {
		n, err := io.ReadFull(r, header[:])
		if err == io.EOF {
			break
		}
		if err != nil {
			return d.stats, fmt.Errorf("MRT record at byte %d: cut off after %d bytes of its header: %w", offset, n, err)
		}
		length := binary.BigEndian.Uint32(header[8:])
		if length > maxRecord {
			return d.stats, fmt.Errorf("MRT record at byte %d: its length is %d, more than a record can have: this is no MRT file, or damaged", offset, length)
		}
		if body, err = readBody(r, body, int(length)); err != nil {
			return d.stats, fmt.Errorf("MRT record at byte %d: cut off, it should have %d bytes: %w", offset, length, err)
		}
		kind, subtype := binary.BigEndian.Uint16(header[4:]), binary.BigEndian.Uint16(header[6:])
		if err := d.record(kind, subtype, body); err != nil {
			return d.stats, fmt.Errorf("MRT record at byte %d: %w", offset, err)
		}
		offset += headerSize + int64(length)
	}
	if d.stats.Prefixes == 0 {
		return d.stats, ErrNoRoutes
	}
	return d.stats, nil
}

// readBody reads length bytes into buffer, which grows as bytes come, and not as a damaged
// length claims.
func readBody(r io.Reader, buffer []byte, length int) ([]byte, error) {
	const step = 1 << 20
	buffer = buffer[:0]
	for len(buffer) < length {
		have := len(buffer)
		next := min(length, have+step)
		if cap(buffer) < next {
			buffer = append(make([]byte, 0, 2*next), buffer...)
		}
		buffer = buffer[:next]
		if _, err := io.ReadFull(r, buffer[have:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return buffer, err
		}
	}
	return buffer, nil
}
