// Package gcpvpc decodes VPC flow logs of Google Cloud as Cloud Logging exports them: a
// LogEntry of JSON a line ("VPC Flow Logs records" in the VPC documentation).
//
// A line is what one virtual machine's interface saw of one direction of a connection in
// an aggregation interval. doc/import.md says what becomes of each field.
package gcpvpc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/jsonline"
	"github.com/leoluk/NetMeta/pb"
)

// Source is the name of this kind of file.
const Source = "gcp-vpc"

// OtherLog is the Reason for entries of other logs.
const OtherLog importer.Reason = "other_log"

// Options say what a log does not.
type Options struct {
	// Sampling is the secondary sampling rate of the subnet (logConfig.flowSampling),
	// between 0 and 1: the part of the records that Google keeps. What it samples before,
	// packets, is already made up for in the records.
	Sampling float64
	// Exporter is stored as the exporter's address instead of one made of project and VPC.
	Exporter netip.Addr
}

// Format returns how files are read.
func Format(o Options) (importer.Format, error) {
	if !(o.Sampling > 0 && o.Sampling <= 1) {
		return importer.Format{}, fmt.Errorf("a sampling rate of %v: it is above 0 and at most 1, as in the subnet's settings", o.Sampling)
	}
	rate := math.Round(1 / o.Sampling)
	return importer.Format{Source: Source, Records: "lines", New: func(string) (importer.Decoder, error) {
		return &decoder{options: o, rate: uint64(rate), scale: 1 / o.Sampling / rate, entries: jsonline.New(fields)}, nil
	}}, nil
}

type decoder struct {
	importer.Lines
	options Options
	rate    uint64
	scale   float64 // of counts, where 1/Sampling is no whole number
	entries *jsonline.Reader[entry]
	entry   entry
	record  flow.Record
}

// entry is a LogEntry, as far as it is kept. What is text is valid until the next one.
type entry struct {
	payload                 bool // there is one
	srcAddr, dstAddr        netip.Addr
	srcPort, dstPort, proto uint64
	srcAS, dstAS            uint64
	bytes, packets          uint64
	reporter                []byte
	start, end              []byte
	srcVM, dstVM            []byte
	srcVPC, dstVPC          vpc
	logName                 []byte
	project                 []byte
	subnetwork              uint64
}

type vpc struct{ project, name []byte }

// State implements importer.Decoder.
func (*decoder) State() string { return "" }

// Decode implements importer.Decoder.
func (d *decoder) Decode(record []byte, out *importer.Output) importer.Reason {
	line, reason := d.Line(record)
	if reason != importer.Sent {
		return reason
	}
	d.entry = entry{}
	e := &d.entry
	if err := d.entries.Read(line, e); err != nil {
		out.Problem = err.Error()
		if line[0] == '[' || line[0] == ' ' {
			out.Problem = "an entry a line is needed, as log sinks write them: turn an array into that with jq -c '.[]'"
		}
		return importer.BadValue
	}
	if len(e.logName) > 0 && !bytes.Contains(e.logName, []byte("vpc_flows")) || !e.payload {
		return OtherLog
	}
	return d.finish(e, out)
}

func (d *decoder) finish(e *entry, out *importer.Output) importer.Reason {
	r := &d.record
	*r = flow.Record{
		Type: pb.FlowMessage_GCP_VPC, SamplingRate: d.rate, SamplingRateSource: pb.FlowMessage_RATE_CONFIGURED,
		SrcAddr: e.srcAddr, DstAddr: e.dstAddr, SrcPort: uint32(e.srcPort), DstPort: uint32(e.dstPort), Proto: uint32(e.proto),
		SrcAS: uint32(e.srcAS), DstAS: uint32(e.dstAS), Bytes: d.count(e.bytes), Packets: d.count(e.packets),
	}
	if !e.srcAddr.IsValid() || !e.dstAddr.IsValid() {
		out.Problem = "the connection has not two addresses"
		return importer.BadValue
	}
	if !setTimes(r, e.start, e.end) {
		out.Problem = fmt.Sprintf("start_time is %+q, end_time %+q", e.start, e.end)
		return importer.BadTime
	}
	r.TimeReceived = importer.Received(r.TimeFlowEnd, out.Now)
	if r.TimeReceived != r.TimeFlowEnd {
		out.Ahead()
	}
	r.Etype = 0x0800
	if r.SrcAddr.Is6() {
		r.Etype = 0x86dd
	}
	own, name := e.srcVPC, e.srcVM
	switch string(e.reporter) {
	case "SRC":
		r.FlowDirection, r.HasFlowDirection = 1, true
	case "DEST":
		own, name = e.dstVPC, e.dstVM
		r.HasFlowDirection = true
	}
	if len(own.project) == 0 {
		own.project = e.project
	}
	r.ApplicationName = strings.ToValidUTF8(text(name), "") // is encoded before the next line
	r.ObservationDomain = uint32(e.subnetwork)
	r.SamplerAddress = d.options.Exporter
	if !r.SamplerAddress.IsValid() {
		r.SamplerAddress = exporterOf(own)
	}
	out.Flow(r)
	return importer.Sent
}

// text returns bytes as text that changes with them.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func setTimes(r *flow.Record, start, end []byte) bool {
	from, err := time.Parse(time.RFC3339, text(start))
	to, errTo := time.Parse(time.RFC3339, text(end))
	if errTo != nil {
		to, errTo = from, err
	}
	if err != nil {
		from, err = to, errTo
	}
	r.TimeFlowStart, r.TimeFlowEnd = uint64(max(from.Unix(), 0)), uint64(max(to.Unix(), 0))
	return err == nil && importer.Plausible(r.TimeFlowStart) && importer.Plausible(r.TimeFlowEnd)
}

// count adjusts a count, so that it is right after it is multiplied by the rate.
func (d *decoder) count(n uint64) uint64 {
	if d.scale == 1 {
		return n
	}
	return uint64(math.Round(float64(n) * d.scale))
}

// exporterOf makes an address of a hash (FNV-1a) of project and VPC: fd67:6370 has the
// letters gcp, and fd00::/8 are addresses that everybody may use inside (RFC 4193).
func exporterOf(v vpc) netip.Addr {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for _, part := range [][]byte{v.project, {'/'}, v.name} {
		for _, c := range part {
			hash = (hash ^ uint64(c)) * prime
		}
	}
	b := [16]byte{0: 0xfd, 1: 'g', 2: 'c', 3: 'p'}
	binary.BigEndian.PutUint64(b[8:], hash)
	return netip.AddrFrom16(b)
}
