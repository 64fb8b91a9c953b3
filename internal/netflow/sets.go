package netflow

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// Ids of the sets that hold templates (RFC 3954 sections 5.2 and 6.1, RFC 7011
// section 3.3.2). Ids from firstDataSet on name the template of a data set.
const (
	setTemplatesV9     = 0
	setOptionsV9       = 1
	setTemplatesIPFIX  = 2
	setOptionsIPFIX    = 3
	firstDataSet       = 256
	setHeaderSize      = 4
	templateHeaderSize = 4
)

// dataSet is a data set that waits for the rest of its datagram to be looked at.
type dataSet struct {
	id       uint16
	template *exporter.Template // as it stood at this place of the datagram; nil: unknown
	window   []byte             // the records, and the margin in front of them
}

// readSets reads the sets of a message, from at on. Templates and options data come
// first, wherever they stand, because they say how to read the rest: a sampling rate
// holds for all records of its datagram, and a data set may precede its template.
func (d *Decoder) readSets(datagram []byte, at int) {
	d.pending = d.pending[:0]
	for withdrawn := (withdrawals{}); len(datagram)-at >= setHeaderSize; {
		b := datagram[at:]
		id, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if length < setHeaderSize {
			// Some exporters fill up their datagrams with zeros.
			if !isZero(b) {
				d.fail(reasonTruncated, "set %d: length %d is less than its header", id, length)
			}
			break
		}
		if length > len(b) {
			d.fail(reasonTruncated, "set %d: length %d exceeds the %d bytes left", id, length, len(b))
			length = len(b)
		}
		if id >= firstDataSet {
			// Every message header is longer than the margin.
			d.readDataSet(id, datagram[at+setHeaderSize-margin:at+length])
		} else {
			d.readSet(id, b[setHeaderSize:length], &withdrawn)
		}
		at += length
	}
	d.readPending()
}

// readPending reads the data sets that were left for last, and those of earlier
// datagrams that waited for templates of this one. Those whose template came behind
// them may turn out to be options data, which still go first.
func (d *Decoder) readPending() {
	for i := range d.pending {
		set := &d.pending[i]
		if set.template != nil {
			continue
		}
		set.template = d.state.Template(d.version, d.domain, set.id)
		if set.template != nil && set.template.Options {
			d.readOptions(*set)
		}
	}
	d.readReleased()
	for _, set := range d.pending {
		switch {
		case set.template == nil:
			d.hold(set)
		case !set.template.Options:
			d.readRecords(set, d.emitFlow)
		}
	}
}

func (d *Decoder) readDataSet(id uint16, window []byte) {
	set := dataSet{id, d.state.Template(d.version, d.domain, id), window}
	if set.template != nil && set.template.Options {
		d.readOptions(set)
		return
	}
	d.pending = append(d.pending, set)
}

func (d *Decoder) readSet(id uint16, body []byte, withdrawn *withdrawals) {
	switch {
	case d.version == 9 && id == setTemplatesV9, d.version == 10 && id == setTemplatesIPFIX:
		d.readTemplates(body, false, withdrawn)
	case d.version == 9 && id == setOptionsV9, d.version == 10 && id == setOptionsIPFIX:
		d.readTemplates(body, true, withdrawn)
	default:
		d.fail(reasonSetID, "set %d: no such kind of set is defined", id)
	}
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
