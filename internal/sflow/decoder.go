// Package sflow turns sFlow version 5 datagrams into flow records and interface
// counters (https://sflow.org/sflow_version_5.txt; the numbers of all formats are
// listed at https://sflow.org/developers/structures.php).
//
// A datagram is read from the outside in: its header and the framing of samples
// (decoder.go), what flow samples say by themselves (sample.go), their records about
// the packet (record.go, tunnel.go) and about its route (extended.go), the sampled
// packet header (package packet), and counter samples (counters.go). Each level is
// given exactly the bytes that belong to it, and no number in a datagram decides how
// much memory or time is spent: that is bounded by its length. Nothing is allocated.
package sflow

import (
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// Sample formats of enterprise 0 (sFlow version 5 section 5, sflow_drops.txt).
const (
	formatFlow            = 1
	formatCounter         = 2
	formatExpandedFlow    = 3
	formatExpandedCounter = 4
	formatDiscardedPacket = 5
)

// Decoder reads datagrams, one after the other: each goroutine needs one of its own.
type Decoder struct {
	table *exporter.Table
	emit  func(*flow.Record)
	count func(*flow.Counters)

	sources sources
	names   names

	// Of the datagram that is read.
	received time.Time
	state    *exporter.State
	header   header
	common   flow.Record // what all flow samples have in common
	rate     knownRate
	tally    tally
	failed   bool
	problem  problem // handed out if failed

	// Of the flow sample that is read.
	record flow.Record // handed to emit
	packet sampledPacket
	route  route

	counters flow.Counters // handed to count
}

// NewDecoder returns a Decoder that from within Decode calls emit for every flow
// sample it can read, and count for every block of generic interface counters. Both
// get memory that is reused: they have to be done with it when they return. What
// table says of the agent decides about the sampling rate and whether a flow is kept.
func NewDecoder(table *exporter.Table, emit func(*flow.Record), count func(*flow.Counters)) *Decoder {
	return &Decoder{table: table, emit: emit, count: count, sources: newSources()}
}

// Decode reads a datagram that came from source at the time received. What cannot be
// read is counted in netmeta_decode_errors_total and left out, and costs nothing
// else: a bad record only itself, a bad sample only itself, unless its length is wrong
// too. Discarded packets and vendors' formats are counted and skipped, which is no error.
//
// The error is the first of them, for a log; nothing needs to be done about it. It is
// valid until Decode is called again: its memory is reused, as that of records is.
//
// The records do not refer to the datagram, whose bytes may be overwritten next.
func (d *Decoder) Decode(datagram []byte, source netip.AddrPort, received time.Time) error {
	d.failed, d.tally, d.received = false, tally{}, received
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	d.datagram(xdr{b: datagram}, source.Addr())
	d.tally.publish()
	if d.failed {
		d.problem.source = source
		return &d.problem
	}
	return nil
}

// datagram reads the datagram's header (section 5, struct sample_datagram_v5) and
// its samples.
func (d *Decoder) datagram(x xdr, source netip.Addr) {
	const version = 5
	size := len(x.b)
	if v := x.uint32(); !x.bad && v != version {
		d.fail(badVersion, lack{}, "version %d, want %d", uint64(v), version)
		return
	}
	h := header{agent: x.address(), subAgent: x.uint32(), sequence: x.uint32(), uptime: x.uint32()}
	count := x.uint32()
	if x.bad {
		d.fail(badHeader, x.lack, "header")
		return
	}
	if !h.agent.IsValid() || h.agent.IsUnspecified() {
		h.agent = source
	}
	d.begin(h, size)
	for i := range count {
		format, body := x.framed()
		if x.bad {
			d.fail(samplesMissing, x.lack, "sample %d of %d", uint64(i)+1, uint64(count))
			break
		}
		d.sample(format, body)
	}
	d.state.AddRecords(flow.SFlow, d.tally.records, d.tally.unrated)
	if d.tally.unsampled > 0 {
		d.state.AddUnsampled(d.tally.unsampled)
	}
}

// header is a datagram's. Several sub-agents can share one address; each numbers its
// datagrams by itself.
type header struct {
	agent              netip.Addr
	subAgent, sequence uint32
	uptime             uint32 // milliseconds
}

// begin sets what is the same for all samples of a datagram of so many bytes.
func (d *Decoder) begin(h header, size int) {
	d.header = h
	d.state = d.table.Get(h.agent, d.received)
	d.state.Received(flow.SFlow, size)
	d.state.Sequence(flow.SFlow, h.subAgent, h.sequence, 1)
	d.sources.setAgent(h.agent, h.subAgent)
	d.rate.valid = false

	now := uint64(d.received.Unix())
	d.common.Type = pb.FlowMessage_SFLOW_5
	d.common.TimeReceived, d.common.TimeFlowStart, d.common.TimeFlowEnd = now, now, now
	d.common.SamplerAddress, d.common.ObservationDomain = h.agent, h.subAgent
	d.common.SequenceNum = h.sequence
	d.common.Packets = 1
}

// sample counts a sample by its format and reads it if it has flows or counters.
func (d *Decoder) sample(format uint32, b []byte) {
	var h sampleHeader
	x := xdr{b: b}
	switch format {
	case formatFlow:
		d.tally.samples[kindFlow]++
		h.readCompact(&x)
		d.flowSample(&h, &x)
	case formatExpandedFlow:
		d.tally.samples[kindExpandedFlow]++
		h.readExpanded(&x)
		d.flowSample(&h, &x)
	case formatCounter:
		d.tally.samples[kindCounter]++
		d.counterSample(compactSource, &x)
	case formatExpandedCounter:
		d.tally.samples[kindExpandedCounter]++
		d.counterSample(expandedSource, &x)
	case formatDiscardedPacket:
		d.tally.samples[kindDiscardedPacket]++
	default:
		d.tally.samples[kindOther]++
	}
}
