package netflow

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// lastScopeV9 is the highest scope type of NetFlow v9 (RFC 3954 section 6.1). They
// are numbered apart from the field types: scope 2 is an interface, field 2 a count
// of packets. Exporters that go beyond mean field types.
const lastScopeV9 = 5

// A datagram may hold so many records, however short they are: those that say
// something of a flow (two addresses, an address and a counter) have 8 bytes or more,
// on average over a datagram that is not small. Otherwise one of 64 kB, with a
// template of one byte, would become 64,000 rows.
const (
	freeRecords    = 64 // of any size
	minRecordBytes = 8  // of a datagram for every further one
)

// readRecords reads the records of a set one by one into d.values, and calls use
// for each.
func (d *Decoder) readRecords(set dataSet, use func()) {
	b, t := set.body, set.template
	for len(b) >= t.MinSize && !isPadding(b, t) {
		if d.allowed == 0 {
			d.fail(reasonTooMany, "set %d: the last %d bytes are left out, because the records before them are too short", set.id, len(b))
			return
		}
		d.allowed--
		d.values.reset()
		if d.hasReverse {
			d.reverse.reset()
			d.hasReverse = false
		}
		rest, ok := d.readRecord(t, b)
		if !ok {
			d.fail(reasonRecord, "set %d: the last %d bytes are not a whole record", set.id, len(b))
			return
		}
		use()
		b = rest
	}
	// Sets are padded with less than 4 bytes, or with zeros (RFC 7011 section 3.3.1).
	if len(b) >= 4 && !isZero(b) {
		d.fail(reasonRecord, "set %d: the last %d bytes are less than a record of %d", set.id, len(b), t.MinSize)
	}
}

// isPadding tells padding from records that may be as short as padding: those whose
// fields are all of variable length.
func isPadding(b []byte, t *exporter.Template) bool {
	return t.Variable && len(b) < 4 && isZero(b)
}

// readRecord reads the record at the beginning of b into d.values, and what it says
// of the reverse direction into d.reverse. It returns what follows the record; not ok
// where the record is longer than b.
func (d *Decoder) readRecord(t *exporter.Template, b []byte) (rest []byte, ok bool) {
	for i := range t.Fields {
		f := &t.Fields[i]
		size := int(f.Length)
		if f.Length == exporter.VariableLength {
			if size, b, ok = readLength(b); !ok {
				return nil, false
			}
		}
		if size > len(b) {
			return nil, false
		}
		value := b[:size]
		b = b[size:]
		if size == 0 || int(f.ID) >= len(setters) {
			continue
		}
		values := &d.values
		if f.Enterprise != 0 {
			if f.Enterprise != reverseEnterprise {
				continue
			}
			values, d.hasReverse = &d.reverse, true
		}
		if d.version == 9 && i < t.Scopes && f.ID <= lastScopeV9 {
			continue
		}
		if set := setters[f.ID]; set != nil {
			set(values, value)
		}
	}
	return b, true
}

// readLength reads the length in front of a value of variable length: one byte, or
// 255 and two bytes (RFC 7011 section 7).
func readLength(b []byte) (size int, rest []byte, ok bool) {
	if len(b) < 1 {
		return 0, nil, false
	}
	if b[0] < 255 {
		return int(b[0]), b[1:], true
	}
	if len(b) < 3 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint16(b[1:])), b[3:], true
}
