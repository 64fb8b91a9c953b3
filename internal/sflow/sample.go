package sflow

import (
	"fmt"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// sampleHeader is what stands in front of the records of a flow sample. Interfaces
// are ifIndexes, 0 where the agent did not name a single one.
type sampleHeader struct {
	sequence uint32
	source   uint32 // ifIndex of the data source, 0 if it is no interface
	rate     uint32
	in, out  uint32
	records  uint32
}

// compactHeader reads struct flow_sample, where type and number share a word.
func compactHeader(x *xdr) (h sampleHeader) {
	h.sequence = x.uint32()
	source := x.uint32()
	h.source = ifIndex(source>>24, source&0xffffff)
	h.rate = x.uint32()
	x.next(8) // sample pool, drops
	in, out := x.uint32(), x.uint32()
	h.in = ifIndex(in>>30, in&0x3fffffff)
	h.out = ifIndex(out>>30, out&0x3fffffff)
	h.records = x.uint32()
	return h
}

// expandedHeader reads struct flow_sample_expanded, which agents with interface
// numbers above 2^24 send.
func expandedHeader(x *xdr) (h sampleHeader) {
	h.sequence = x.uint32()
	sourceType, source := x.uint32(), x.uint32()
	h.source = ifIndex(sourceType, source)
	h.rate = x.uint32()
	x.next(8) // sample pool, drops
	inFormat, in := x.uint32(), x.uint32()
	outFormat, out := x.uint32(), x.uint32()
	h.in = ifIndex(inFormat, in)
	h.out = ifIndex(outFormat, out)
	h.records = x.uint32()
	return h
}

// ifIndex returns the number of a data source or an interface if it stands for a
// single ifIndex, which format 0 does. Otherwise it is a reason for discarding
// (format 1), a number of interfaces (format 2), a VLAN (data sources), or with
// format 0 the agent itself, and the result is 0.
func ifIndex(format, value uint32) uint32 {
	const local = 0x3fffffff
	if format != 0 || value == local {
		return 0
	}
	return value
}

// setSample fills in what the sample says about the packet by itself.
func (d *Decoder) setSample(r *flow.Record, h sampleHeader) {
	r.Packets = 1
	switch {
	case h.rate > 0:
		r.SamplingRate, r.SamplingRateSource = uint64(h.rate), pb.FlowMessage_RATE_PACKET
	case d.defaultRate > 0:
		r.SamplingRate, r.SamplingRateSource = d.defaultRate, pb.FlowMessage_RATE_CONFIGURED
	default:
		r.SamplingRate, r.SamplingRateSource = 1, pb.FlowMessage_RATE_UNKNOWN
		unknownRates.Inc()
	}
	r.InIf, r.OutIf = h.in, h.out
	if h.source != 0 && h.source == h.out && h.source != h.in {
		r.FlowDirection = 1
	}
}

// flowSample reads the records of a flow sample and emits it. A sample with
// unreadable or without known records is one packet of unknown length: it is
// emitted with Packets 1 and Bytes 0, since its interfaces and its rate are facts
// all the same. Only a sample whose header is cut off or lies is given up.
func (d *Decoder) flowSample(h sampleHeader, x xdr) {
	if x.bad {
		if d.fail(badSampleHeader) {
			d.err = fmt.Errorf("header of flow sample: %w", x.err())
		}
		return
	}
	const recordSize = 8 // at least: its format and its length
	if uint64(h.records)*recordSize > uint64(len(x.b)) {
		if d.fail(badRecordCount) {
			d.err = fmt.Errorf("flow sample %d: %d records in %d bytes", h.sequence, h.records, len(x.b))
		}
		return
	}
	d.record, d.packet = d.common, sampledPacket{}
	d.setSample(&d.record, h)
	for i := range h.records {
		format, body := x.uint32(), x.opaque()
		if x.bad {
			if d.fail(recordsMissing) {
				d.err = fmt.Errorf("flow sample %d: record %d of %d: %w", h.sequence, i+1, h.records, x.err())
			}
			break
		}
		record := xdr{b: body}
		d.flowRecord(format, &record)
		if record.bad && d.fail(badRecord) {
			d.err = fmt.Errorf("flow sample %d: record %d of format %d: %w", h.sequence, i+1, format, record.err())
		}
	}
	d.packet.fill(&d.record)
	records.Inc()
	d.emit(&d.record)
}
