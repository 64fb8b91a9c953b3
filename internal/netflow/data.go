package netflow

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// lastScopeV9 is the highest scope type of NetFlow v9 (RFC 3954 section 6.1). They
// are numbered apart from the field types: scope 2 is an interface, field 2 a count
// of packets. Exporters that go beyond mean field types.
const lastScopeV9 = 5

// readRecords reads the records of a set one by one into d.values, and calls use
// for each.
func (d *Decoder) readRecords(set dataSet, use func()) {
	b, t := set.body, set.template
	for len(b) >= t.MinSize && !isPadding(b, t) {
		d.values.reset()
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

// readRecord reads the record at the beginning of b into d.values, and returns what
// follows it; not ok where the record is longer than b.
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
		if size == 0 || f.Enterprise != 0 || int(f.ID) >= len(setters) {
			continue
		}
		if d.version == 9 && i < t.Scopes && f.ID <= lastScopeV9 {
			continue
		}
		if set := setters[f.ID]; set != nil {
			set(&d.values, value)
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
