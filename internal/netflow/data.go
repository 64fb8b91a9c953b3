package netflow

import (
	"cmp"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// A datagram may hold so many records, however short they are: those that say
// something of a flow (two addresses, an address and a counter) have 8 bytes or more,
// on average over a datagram that is not small. Otherwise one of 64 kB, with a
// template of one byte, would become 64,000 rows.
const (
	freeRecords    = 64 // of any size
	minRecordBytes = 8  // of a datagram for every further one
)

// readRecords reads the records of a set one by one into d.values, and what they say of
// the reverse direction into d.reverse, and calls use for each.
func (d *Decoder) readRecords(set dataSet, use func()) {
	t, w := set.template, set.window
	var p *program
	for len(w) >= margin+t.MinSize && !isPadding(w[margin:], t) {
		if d.allowed == 0 {
			d.fail(reasonTooMany, "set %d: the last %d bytes are left out, because the records before them are too short", set.id, len(w)-margin)
			return
		}
		d.allowed--
		if p == nil || p.fresh {
			p = d.programOf(t)
			d.begin(p)
		}
		size, ok := t.MinSize, true
		if t.Variable {
			size, ok = p.locate(t, w[margin:])
		}
		if !ok {
			d.fail(reasonRecord, "set %d: the last %d bytes are not a whole record", set.id, len(w)-margin)
			return
		}
		p.run(&d.values, w[:margin+size])
		d.dataRecords++
		use()
		w = w[size:]
	}
	// Sets are padded with less than 4 bytes, or with zeros (RFC 7011 section 3.3.1).
	if rest := w[margin:]; len(rest) >= 4 && !isZero(rest) {
		d.fail(reasonRecord, "set %d: the last %d bytes are less than a record of %d", set.id, len(rest), t.MinSize)
	}
}

// isPadding tells padding from records that may be as short as padding: those whose
// fields are all of variable length.
func isPadding(b []byte, t *exporter.Template) bool {
	return t.Variable && len(b) < 4 && isZero(b)
}

// What the compiled templates of a decoder occupy is bounded to about 6 MB, by their
// fields: also those that are not read, since a template is kept with its program.
const (
	maxCompiled     = 1 << 17 // fields
	programOverhead = 8       // in fields
)

// programOf returns the program of a template, which it compiles once.
func (d *Decoder) programOf(t *exporter.Template) *program {
	if p, ok := d.programs[t]; ok {
		return p
	}
	p := d.compile(t)
	size := programOverhead + len(t.Fields)
	if d.compiled += size; d.compiled > maxCompiled {
		clear(d.programs)
		d.compiled = size
	}
	d.programs[t] = p
	return p
}

// begin forgets the records before. Unless a program says that every record has to
// begin so, the first of a set does: the others store to the same places.
func (d *Decoder) begin(p *program) {
	d.values = values{}
	d.values.parts = p.forward
	d.stamp(&d.values.Record)
	if d.version == 10 && d.boot == 0 && (p.forward|p.reverse)&(partStart|partEnd) != 0 {
		d.boot = cmp.Or(d.state.Boot(d.domain), d.state.Boot(0))
	}
	d.hasReverse = p.reverse != 0
	if d.hasReverse {
		d.reverse = values{}
		d.reverse.parts = p.reverse
		d.stamp(&d.reverse.Record)
	}
}

// stamp sets what is the same in all records of a datagram.
func (m *message) stamp(r *flow.Record) {
	r.Type = m.flowType
	r.TimeReceived = uint64(m.received)
	r.SequenceNum = m.sequence
	r.SamplerAddress = m.source
	r.ObservationDomain = m.domain
}
