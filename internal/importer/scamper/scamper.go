// Package scamper decodes what CAIDA's scamper measured: traceroutes and pings, in warts
// (the man page warts(5)) and in its JSON, one object a line.
//
// warts.go knows the objects of a warts file and those that others refer to, params.go how
// their values are laid out, trace.go and ping.go what a measurement has; json.go decodes
// JSON.
package scamper

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
)

// Source is the name of this kind of file.
const Source = "scamper"

// Reasons beside those of package importer.
const (
	OtherType      importer.Reason = "other_type"      // an object that is neither a trace nor a ping
	UnknownAddress importer.Reason = "unknown_address" // it refers to an address that the file has not
	TooManyHops    importer.Reason = "too_many_hops"   // more replies or labels than are stored
)

// Options say what a file does not.
type Options struct {
	Monitor string // name of the monitor, where the file has none
}

// Format returns how files are read.
func Format(o Options) importer.Format {
	return importer.Format{Source: Source, Records: "measurements", Become: "traces", New: func(string) (importer.Decoder, error) {
		return &decoder{monitor: o.Monitor}, nil
	}}
}

// decoder finds out by the first bytes of a file what it is.
type decoder struct {
	importer.Lines
	monitor string
	known   bool // what the file is
	warts   *warts
	trace   flow.Trace
	ping    pingStatistics // of JSON
	cycle   jsonCycle
	object  jsonObject
}

// State implements importer.Decoder: the file is read again.
func (*decoder) State() string { return "" }

// Split implements importer.Decoder. A warts object that is cut off at the end of a file
// is left: scamper may still write it.
func (d *decoder) Split(data []byte, final bool) (int, error) {
	if !d.known {
		if len(data) < 2 && !final {
			return 0, nil
		}
		d.known = true
		if len(data) >= 2 && binary.BigEndian.Uint16(data) == magic {
			d.warts = newWarts(d.monitor)
		}
	}
	if d.warts != nil {
		return splitWarts(data)
	}
	return d.Lines.Split(data, final)
}

// Skip implements importer.Rereader.
func (d *decoder) Skip(record []byte) {
	if d.warts != nil {
		d.warts.learn(record)
		return
	}
	if line, reason := d.Line(record); reason == importer.Sent {
		d.skipLine(line)
	}
}

// Decode implements importer.Decoder.
func (d *decoder) Decode(record []byte, out *importer.Output) importer.Reason {
	d.trace.Reset()
	var reason importer.Reason
	if d.warts != nil {
		reason, out.Problem = d.warts.decode(record, &d.trace)
	} else {
		line, ok := d.Line(record)
		if ok != importer.Sent {
			return ok
		}
		reason, out.Problem = d.decodeLine(line, &d.trace)
	}
	if reason != importer.Sent {
		return reason
	}
	return send(&d.trace, out)
}

// send hands over what was decoded, if it can be stored.
func send(t *flow.Trace, out *importer.Output) importer.Reason {
	switch {
	case !importer.Plausible(t.Time):
		return importer.BadTime
	case !t.DstAddr.IsValid():
		out.Problem = "no destination"
		return importer.BadValue
	case len(t.HopAddress) > flow.MaxHops || len(t.MPLSLabel) > flow.MaxLabels:
		return TooManyHops
	}
	if received := importer.Received(t.Time, out.Now); received != t.Time {
		t.Time = received
		out.Ahead()
	}
	out.Message(flow.TracesTopic, t)
	return importer.Sent
}
