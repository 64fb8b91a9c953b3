package sflow

import "github.com/leoluk/NetMeta/pb"

// sampleHeader is what stands in front of the records of a flow sample.
type sampleHeader struct {
	sequence       uint32
	sourceType     uint32 // 0: source is an ifIndex
	source         uint32
	rate           uint32
	drops          uint32 // packets that the source could not sample since it started
	inFormat, in   uint32
	outFormat, out uint32
	records        uint32
}

// readCompact reads struct flow_sample, where type and number share a word.
func (h *sampleHeader) readCompact(x *xdr) {
	b := x.next(32)
	if b == nil {
		return
	}
	source, in, out := word(b, 1), word(b, 5), word(b, 6)
	h.sequence = word(b, 0)
	h.sourceType, h.source = source>>24, source&0xffffff
	h.rate = word(b, 2)
	h.drops = word(b, 4) // behind the sample pool
	h.inFormat, h.in = in>>30, in&0x3fffffff
	h.outFormat, h.out = out>>30, out&0x3fffffff
	h.records = word(b, 7)
}

// readExpanded reads struct flow_sample_expanded, which agents with interface numbers
// above 2^24 send.
func (h *sampleHeader) readExpanded(x *xdr) {
	b := x.next(44)
	if b == nil {
		return
	}
	h.sequence = word(b, 0)
	h.sourceType, h.source = word(b, 1), word(b, 2)
	h.rate = word(b, 3)
	h.drops = word(b, 5)
	h.inFormat, h.in = word(b, 6), word(b, 7)
	h.outFormat, h.out = word(b, 8), word(b, 9)
	h.records = word(b, 10)
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
func (d *Decoder) setSample(h *sampleHeader) {
	r := &d.record
	d.setRate(h.rate)
	r.InIf, r.OutIf = ifIndex(h.inFormat, h.in), ifIndex(h.outFormat, h.out)
	switch source := ifIndex(h.sourceType, h.source); {
	case source == 0 || r.InIf == r.OutIf:
	case source == r.InIf:
		r.HasFlowDirection = true
	case source == r.OutIf:
		r.HasFlowDirection, r.FlowDirection = true, 1
	}
}

// knownRate is what the exporter's state made of a rate. Most samples of a datagram
// have the same one, and asking the state takes a lock.
type knownRate struct {
	valid  bool
	said   uint32
	rate   uint64
	source pb.FlowMessage_RateSource
}

func (d *Decoder) setRate(said uint32) {
	const version, domain, sampler = 5, 0, 0
	if !d.rate.valid || d.rate.said != said {
		rate, source := d.state.Rate(version, domain, sampler, uint64(said))
		d.rate = knownRate{true, said, rate, source}
	}
	d.record.SamplingRate, d.record.SamplingRateSource = d.rate.rate, d.rate.source
}

// flowSample reads the records of a flow sample and emits it. A sample with
// unreadable or without known records is one packet of unknown length: it is
// emitted with Packets 1 and Bytes 0, since its interfaces and its rate are facts
// all the same. Only a sample whose header is cut off or lies is given up.
func (d *Decoder) flowSample(h *sampleHeader, x *xdr) {
	if x.bad {
		d.fail(badSampleHeader, x.lack, "header of flow sample")
		return
	}
	lost, drops := d.sources.note(h)
	d.tally.lost += uint64(lost)
	d.tally.unsampled += uint64(drops)
	const recordSize = 8 // at least: its format and its length
	if uint64(h.records)*recordSize > uint64(len(x.b)) {
		d.fail(badRecordCount, lack{}, "flow sample %d: %d records in %d bytes", uint64(h.sequence), uint64(h.records), uint64(len(x.b)))
		return
	}
	keep, factor := d.state.Keep(d.received)
	if !keep {
		return
	}
	d.record, d.packet = d.common, sampledPacket{}
	d.setSample(h)
	d.record.SamplingRate *= factor
	for i := range h.records {
		format, body := x.framed()
		if x.bad {
			d.fail(recordsMissing, x.lack, "flow sample %d: record %d of %d", uint64(h.sequence), uint64(i)+1, uint64(h.records))
			break
		}
		record := xdr{b: body}
		d.flowRecord(format, &record)
		if record.bad {
			d.fail(badRecord, record.lack, "flow sample %d: record %d of format %d", uint64(h.sequence), uint64(i)+1, uint64(format))
		}
	}
	d.packet.fill(&d.record)
	d.tally.records++
	if d.record.SamplingRateSource == pb.FlowMessage_RATE_UNKNOWN {
		d.tally.unrated++
	}
	d.emit(&d.record)
}
