// Package sflow turns sFlow version 5 datagrams into flow records
// (https://sflow.org/sflow_version_5.txt).
//
// A datagram is read from the outside in: its header and the framing of samples
// (decoder.go), the framing of records in a sample (sample.go), the records
// (record.go, extended.go), and the sampled packet header (package packet). Each
// level is given exactly the bytes that belong to it, and no number in a datagram
// decides how much memory or time is spent: that is bounded by its length.
package sflow

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/pb"
)

var (
	samples = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_sflow_samples_total",
		Help: "sFlow samples received, by kind. Flows come from flow and expanded_flow alone.",
	}, []string{"kind"})
	flowSamples            = samples.WithLabelValues("flow")
	expandedFlowSamples    = samples.WithLabelValues("expanded_flow")
	counterSamples         = samples.WithLabelValues("counter")
	expandedCounterSamples = samples.WithLabelValues("expanded_counter")
	discardedPackets       = samples.WithLabelValues("discarded_packet")
	otherSamples           = samples.WithLabelValues("other")

	records      = metrics.Records.WithLabelValues(metrics.SFlow)
	unknownRates = metrics.UnknownRates.WithLabelValues(metrics.SFlow)

	// What each of these costs: the datagram, the datagram, the rest of the datagram,
	// the sample, the sample, the rest of the sample's records, the record.
	badVersion      = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "version")
	badHeader       = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "datagram_header")
	samplesMissing  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "samples_missing")
	badSampleHeader = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "sample_header")
	badRecordCount  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "record_count")
	recordsMissing  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "records_missing")
	badRecord       = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "record")
)

// Sample formats of enterprise 0 (sFlow version 5 section 5, sflow_drops.txt).
const (
	formatFlow            = 1
	formatCounter         = 2
	formatExpandedFlow    = 3
	formatExpandedCounter = 4
	formatDiscardedPacket = 5
)

// Decoder reads datagrams, one after the other: each goroutine needs one of its
// own. It keeps nothing from one datagram to the next.
type Decoder struct {
	defaultRate uint64
	emit        func(*flow.Record)

	common flow.Record // what all samples of the datagram have in common
	record flow.Record // the one that is handed to emit
	packet sampledPacket
	err    error // the datagram's first
}

// NewDecoder returns a Decoder that calls emit for every flow sample it can read,
// from within Decode. The record is reused: emit has to be done with it when it
// returns. DefaultRate, in packets per sample, is that of samples with a rate of 0;
// where it is 0 too, their rate is 1 and RATE_UNKNOWN.
func NewDecoder(defaultRate uint64, emit func(*flow.Record)) *Decoder {
	return &Decoder{defaultRate: defaultRate, emit: emit}
}

// Decode emits one record for each flow sample of a datagram that came from source
// at the time received. What cannot be read is counted in
// netmeta_decode_errors_total and left out, and costs nothing else: a bad record
// only itself, a bad sample only itself, unless its length is wrong too. The error
// is the first of them, for a log; nothing needs to be done about it. Counter
// samples, discarded packets and vendors' formats are counted and skipped, which is
// no error.
//
// The records do not refer to the datagram, whose bytes may be overwritten next.
func (d *Decoder) Decode(datagram []byte, source netip.AddrPort, received time.Time) error {
	d.err = nil
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	d.datagram(xdr{b: datagram}, source.Addr(), uint64(received.Unix()))
	if d.err != nil {
		return fmt.Errorf("decode sflow datagram from %s: %w", source, d.err)
	}
	return nil
}

// datagram reads the datagram's header (section 5, struct sample_datagram_v5) and
// its samples.
func (d *Decoder) datagram(x xdr, source netip.Addr, received uint64) {
	const version = 5
	if v := x.uint32(); !x.bad && v != version {
		if d.fail(badVersion) {
			d.err = fmt.Errorf("version %d, want %d", v, version)
		}
		return
	}
	agent := x.address()
	x.uint32() // sub-agent: several of them share one address and number their datagrams apart
	sequence := x.uint32()
	x.uint32() // uptime
	count := x.uint32()
	if x.bad {
		if d.fail(badHeader) {
			d.err = fmt.Errorf("header: %w", x.err())
		}
		return
	}
	if !agent.IsValid() || agent.IsUnspecified() {
		agent = source
	}
	d.common = flow.Record{
		Type:           pb.FlowMessage_SFLOW_5,
		TimeReceived:   received,
		TimeFlowStart:  received,
		TimeFlowEnd:    received,
		SequenceNum:    sequence,
		SamplerAddress: agent,
	}
	for i := range count {
		format, body := x.uint32(), x.opaque()
		if x.bad {
			if d.fail(samplesMissing) {
				d.err = fmt.Errorf("sample %d of %d: %w", i+1, count, x.err())
			}
			return
		}
		d.sample(format, xdr{b: body})
	}
}

// sample counts a sample by its format and reads it if it is a flow sample.
func (d *Decoder) sample(format uint32, x xdr) {
	switch format {
	case formatFlow:
		flowSamples.Inc()
		d.flowSample(compactHeader(&x), x)
	case formatExpandedFlow:
		expandedFlowSamples.Inc()
		d.flowSample(expandedHeader(&x), x)
	case formatCounter:
		counterSamples.Inc()
	case formatExpandedCounter:
		expandedCounterSamples.Inc()
	case formatDiscardedPacket:
		discardedPackets.Inc()
	default:
		otherSamples.Inc()
	}
}

// fail counts an error and tells whether it is the datagram's first, which is the
// only one to be put into words.
func (d *Decoder) fail(reason prometheus.Counter) (first bool) {
	reason.Inc()
	return d.err == nil
}
