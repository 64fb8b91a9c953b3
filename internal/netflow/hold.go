package netflow

import "github.com/leoluk/NetMeta/internal/exporter"

// releasedSet is a data set of an earlier datagram whose template has come.
type releasedSet struct {
	id       uint16
	template *exporter.Template
	exporter.Held
}

// hold lets a data set wait for its template, with what of its message is needed then.
// That is a problem only if there is no room for it: what has waited too long is
// counted by package exporter.
func (d *Decoder) hold(set dataSet) {
	d.held = true
	if !d.state.Hold(d.version, d.domain, set.id, exporter.Held{
		Received: d.now, Exported: d.exported, Uptime: d.uptime, Sequence: d.sequence, Body: set.window,
	}) {
		d.fail(reasonUnknownTemplate, "set %d of domain %d: %w", set.id, d.domain, ErrUnknownTemplate)
	}
}

// release takes the data sets that waited for a template.
func (d *Decoder) release(id uint16, t *exporter.Template) {
	for _, held := range d.state.Release(d.version, d.domain, id, d.now) {
		d.released = append(d.released, releasedSet{id, t, held})
	}
}

// readReleased reads the data sets that were released, as if their templates had been
// there when they were received. Options data go first here too.
func (d *Decoder) readReleased() {
	if len(d.released) == 0 {
		return
	}
	present, counted := d.message, d.dataRecords
	for _, options := range []bool{true, false} {
		for _, set := range d.released {
			if set.template.Options == options {
				d.readHeld(set)
			}
		}
	}
	d.message, d.dataRecords = present, counted
	clear(d.released)
	d.released = d.released[:0]
}

// readHeld leaves d.now alone: the limit of the exporter is about flows that are handed
// on, which these are now.
func (d *Decoder) readHeld(set releasedSet) {
	d.received = set.Received.Unix()
	d.setClock(set.Exported)
	d.uptime, d.sequence = set.Uptime, set.Sequence
	d.allowed += len(set.Body) / minRecordBytes
	data := dataSet{set.id, set.template, set.Body}
	if set.template.Options {
		d.readOptions(data)
		return
	}
	d.readRecords(data, d.emitFlow)
}
