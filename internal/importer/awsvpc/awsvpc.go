// Package awsvpc decodes flow logs of Amazon VPCs and transit gateways, of the versions 2
// to 8 and of custom formats: lines of fields with a space between, in the order that the
// first line of a file names, or Parquet ("Flow log records" in the Amazon VPC user guide).
//
// One line is what one network interface saw of one flow in an aggregation interval, in
// one direction. doc/import.md says what becomes of each field.
package awsvpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/pb"
)

// Source is the name of this kind of file.
const Source = "aws-vpc"

// Reasons beside those of package importer.
const (
	NoData   importer.Reason = "nodata"   // log-status NODATA: no traffic in the interval
	SkipData importer.Reason = "skipdata" // log-status SKIPDATA: AWS lost records of the interval
)

// DefaultFormat is version 2, which AWS writes where nobody has chosen fields.
const DefaultFormat = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

// Options say what a file does not.
type Options struct {
	// Format names the fields of lines in files that do not begin with their names; as
	// in the flow log's settings, with or without ${}. Default DefaultFormat.
	Format string
	// Exporter is stored as the address of the exporter instead of the one that is made
	// of account and VPC.
	Exporter netip.Addr
}

// Format returns how files are read.
func Format(o Options) (importer.Format, error) {
	if o.Format == "" {
		o.Format = DefaultFormat
	}
	if _, err := parsePlan(o.Format); err != nil {
		return importer.Format{}, err
	}
	return importer.Format{
		Source: Source, Records: "records",
		New: func(state string) (importer.Decoder, error) {
			d := &decoder{exporter: o.Exporter}
			if state == "" {
				state = o.Format
			}
			return d, d.setFormat(state)
		},
		Rows: func(file io.ReaderAt, size int64) (importer.Rows, error) { return openRows(o, file, size) },
	}, nil
}

// decoder decodes one file.
type decoder struct {
	importer.Lines
	format   string
	plan     []setter
	exporter netip.Addr
	record   record
}

// record is a line on its way to a flow.
type record struct {
	flow.Record
	srcAddr, dstAddr     netip.Addr // of the interface, or what it talks to
	packetSrc, packetDst netip.Addr // in the packet
	account              uint64     // its decimal digits as hexadecimal ones
	vpc, subnet, eni     uint32     // the last 32 bits of their ids
	noData, skipData     bool
}

func (d *decoder) setFormat(format string) (err error) {
	d.format = format
	d.plan, err = parsePlan(format)
	return err
}

// State implements importer.Decoder: the names of the fields.
func (d *decoder) State() string { return d.format }

// Decode implements importer.Decoder.
func (d *decoder) Decode(record []byte, out *importer.Output) importer.Reason {
	line, reason := d.Line(record)
	if reason != importer.Sent {
		return reason
	}
	if line[0] >= 'a' && line[0] <= 'z' && isHead(line) {
		if err := d.setFormat(string(line)); err != nil {
			out.Problem = err.Error()
			return importer.BadValue
		}
		return importer.NoFlow
	}
	d.record.reset()
	if reason := d.parse(line, out); reason != importer.Sent {
		return reason
	}
	return d.complete(out)
}

// complete sends what the fields of a record said, if that is traffic.
func (d *decoder) complete(out *importer.Output) importer.Reason {
	r := &d.record
	switch {
	case r.noData:
		return NoData
	case r.skipData:
		return SkipData
	}
	return d.finish(r, out)
}

// parse sets what the fields of a line say.
func (d *decoder) parse(line []byte, out *importer.Output) importer.Reason {
	rest := line
	for i, set := range d.plan {
		if len(rest) == 0 {
			return d.wrongCount(line, out)
		}
		value := rest
		if end := bytes.IndexByte(rest, ' '); end >= 0 {
			value, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		if set == nil || len(value) == 1 && value[0] == '-' {
			continue
		}
		if !set(&d.record, value) {
			return d.badValue(line, i, value, out)
		}
	}
	if len(rest) > 0 {
		return d.wrongCount(line, out)
	}
	return importer.Sent
}

// wrongCount looks whether the line only has the time in front that CloudWatch Logs
// writes when it exports to S3.
func (d *decoder) wrongCount(line []byte, out *importer.Output) importer.Reason {
	if rest, stamped := withoutStamp(line); stamped {
		d.record.reset()
		return d.parse(rest, out)
	}
	out.Problem = fmt.Sprintf("%d fields, and %d are named: %s", 1+bytes.Count(line, []byte{' '}), len(d.plan), d.format)
	return importer.Fields
}

func (d *decoder) badValue(line []byte, field int, value []byte, out *importer.Output) importer.Reason {
	if rest, stamped := withoutStamp(line); stamped {
		d.record.reset()
		return d.parse(rest, out)
	}
	out.Problem = fmt.Sprintf("%s is %+q", strings.Fields(d.format)[field], value[:min(len(value), 40)])
	return importer.BadValue
}

// withoutStamp removes a time like 2026-11-27T10:00:00.000Z.
func withoutStamp(line []byte) ([]byte, bool) {
	const length = len("2026-11-27T10:00:00.000Z")
	if len(line) > length && line[4] == '-' && line[10] == 'T' && line[length-1] == 'Z' && line[length] == ' ' {
		return line[length+1:], true
	}
	return line, false
}

// finish makes a flow of what the fields said.
func (d *decoder) finish(r *record, out *importer.Output) importer.Reason {
	if r.TimeFlowEnd == 0 {
		r.TimeFlowEnd = r.TimeFlowStart
	}
	if r.TimeFlowStart == 0 {
		r.TimeFlowStart = r.TimeFlowEnd
	}
	if !importer.Plausible(r.TimeFlowEnd) || !importer.Plausible(r.TimeFlowStart) {
		out.Problem = "neither start nor end is a time in seconds since 1970"
		return importer.BadTime
	}
	r.TimeReceived = importer.Received(r.TimeFlowEnd, out.Now)
	if r.TimeReceived != r.TimeFlowEnd {
		out.Ahead()
	}
	r.Type = pb.FlowMessage_AWS_VPC
	r.SamplingRate, r.SamplingRateSource = 1, pb.FlowMessage_RATE_PACKET
	r.setAddresses()
	if r.HasFlowDirection && r.FlowDirection == egress {
		r.OutIf = r.eni
	} else {
		r.InIf = r.eni
	}
	r.ObservationDomain = r.subnet
	r.SamplerAddress = d.exporter
	if !d.exporter.IsValid() {
		r.SamplerAddress = exporterOf(r.account, r.vpc)
	}
	out.Flow(&r.Record)
	return importer.Sent
}

// setAddresses prefers those in the packet. Where the packet goes through the interface
// to somebody else, as at a NAT gateway, the interface is the next hop.
func (r *record) setAddresses() {
	r.SrcAddr, r.DstAddr = r.srcAddr, r.dstAddr
	if r.packetSrc.IsValid() {
		r.SrcAddr = r.packetSrc
	}
	if r.packetDst.IsValid() {
		if r.dstAddr.IsValid() && r.dstAddr != r.packetDst {
			r.NextHop = r.dstAddr
		}
		r.DstAddr = r.packetDst
	}
	if r.Etype != 0 {
		return
	}
	switch {
	case r.SrcAddr.Is4():
		r.Etype = etherIPv4
	case r.SrcAddr.Is6():
		r.Etype = etherIPv6
	}
}

// reset empties the record but for what every line sets anew.
func (r *record) reset() { *r = record{} }

// exporterOf makes an address of the digits of an account and the last 32 bits of a VPC's
// id, in which people recognise both: fd61:7773:0:1234:5678:9012:89ab:cdef is account
// 123456789012 and vpc-…89abcdef. 6177 73 are the letters aws, and fd00::/8 are addresses
// that everybody may use inside (RFC 4193).
func exporterOf(account uint64, vpc uint32) netip.Addr {
	b := [16]byte{0: 0xfd, 1: 'a', 2: 'w', 3: 's'}
	for i := range 6 {
		b[6+i] = byte(account >> (8 * (5 - i)))
	}
	for i := range 4 {
		b[12+i] = byte(vpc >> (8 * (3 - i)))
	}
	return netip.AddrFrom16(b)
}

// isHead tells whether a line names fields instead of holding them.
func isHead(line []byte) bool {
	first, _, _ := bytes.Cut(line, []byte{' '})
	_, known := setters[string(first)]
	return known
}

// parsePlan returns what to do with each field of a line.
func parsePlan(format string) ([]setter, error) {
	names := strings.Fields(strings.NewReplacer("${", " ", "}", " ").Replace(format))
	if len(names) == 0 {
		return nil, errors.New("the format names no field")
	}
	plan := make([]setter, len(names))
	known, seen := 0, map[string]bool{}
	for i, name := range names {
		set, exists := setters[name]
		if exists {
			known++
		}
		if seen[name] {
			return nil, fmt.Errorf("the format names %s twice", name)
		}
		seen[name] = true
		plan[i] = set
	}
	if known == 0 {
		return nil, fmt.Errorf("the format has no field that flow logs have: %q; an example: %s", format, DefaultFormat)
	}
	for _, needed := range [][]string{{"start", "end"}, {"bytes", "packets"}} {
		if !seen[needed[0]] && !seen[needed[1]] {
			return nil, fmt.Errorf("the format has neither %s nor %s: without them there is no flow to store", needed[0], needed[1])
		}
	}
	return plan, nil
}
