// Package netflow reads NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011)
// datagrams into flow records.
//
// A datagram is read from the outside in: message header (v5.go, message.go), sets
// (sets.go), the templates (template.go) or records (data.go, options.go) of a set,
// the fields of a record (fields.go), and last what the fields mean together
// (resolve.go, times.go, biflow.go). Every length and count is checked against the
// bytes that are there before it is believed, and a problem costs no more than the
// smallest part that it makes unreadable: a record, a set, or the rest of the datagram.
package netflow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/pb"
)

// Why something could not be read: the label reason of netmeta_decode_errors_total.
const (
	reasonVersion         = "version"          // a datagram of no version that is read here
	reasonTruncated       = "truncated"        // a header or set says more than there is
	reasonTrailing        = "trailing"         // bytes behind the end of the message
	reasonSetID           = "set_id"           // a set of a kind that is not defined
	reasonTemplate        = "template"         // a template that cannot be read or used
	reasonUnknownTemplate = "unknown_template" // a data set whose template has not been received
	reasonRecord          = "record"           // the rest of a data set does not hold a whole record
	reasonTooMany         = "too_many_records" // records so short that their number is out of proportion
)

// ErrUnknownTemplate is wrapped by the errors for data sets whose template has not
// been received. That is normal until an exporter repeats its templates.
var ErrUnknownTemplate = errors.New("template not received yet")

// protocol is what the versions have in common.
type protocol struct {
	label        string
	flowType     pb.FlowMessage_FlowType
	records      prometheus.Counter
	unknownRates prometheus.Counter
}

func newProtocol(label string, flowType pb.FlowMessage_FlowType) *protocol {
	return &protocol{label, flowType, metrics.Records.WithLabelValues(label), metrics.UnknownRates.WithLabelValues(label)}
}

var (
	netflow5 = newProtocol(metrics.NetFlow5, pb.FlowMessage_NETFLOW_V5)
	netflow9 = newProtocol(metrics.NetFlow9, pb.FlowMessage_NETFLOW_V9)
	ipfix    = newProtocol(metrics.IPFIX, pb.FlowMessage_IPFIX)

	// undetermined counts datagrams that do not say what they are.
	undetermined = &protocol{label: "netflow"}
)

// Decoder reads datagrams of all three versions. It is not safe for concurrent
// use: every goroutine has its own, and all share the Table.
type Decoder struct {
	table *exporter.Table
	emit  func(*flow.Record)

	// The datagram at hand.
	message
	state   *exporter.State
	err     error // the first problem
	pending []dataSet
	allowed int // records that may still be read
	records int
	unrated int

	// The last question to state.Rate, and its answer.
	sampler    uint64
	said       uint64
	rate       uint64
	rateSource pb.FlowMessage_RateSource

	values     values // of the record at hand
	reverse    values // of its other direction, see biflow.go
	hasReverse bool
	fields     []exporter.Field // of the template at hand
}

// NewDecoder returns a decoder that keeps templates and sampling rates in table and
// hands every flow record to emit. The record is valid until emit returns.
func NewDecoder(table *exporter.Table, emit func(*flow.Record)) *Decoder {
	return &Decoder{table: table, emit: emit}
}

// Decode reads one datagram, which the exporter at source sent and which arrived at
// received. Everything that is readable has been emitted when it returns. The error
// is the first problem; all problems have been counted by then in
// netmeta_decode_errors_total, so a caller may ignore it. It does not keep datagram.
func (d *Decoder) Decode(datagram []byte, source netip.AddrPort, received time.Time) error {
	d.message = message{protocol: undetermined, source: source.Addr().Unmap(), received: received.Unix()}
	d.err, d.records, d.unrated, d.rate = nil, 0, 0, 0
	d.allowed = freeRecords + len(datagram)/minRecordBytes

	read, size := d.reader(datagram)
	switch {
	case read == nil && len(datagram) < 2:
		d.fail(reasonTruncated, "message of %d bytes is too short for a version", len(datagram))
	case read == nil:
		d.fail(reasonVersion, "version %d is not NetFlow v5, v9 or IPFIX", d.version)
	case len(datagram) < size:
		d.fail(reasonTruncated, "message of %d bytes is too short for a header of %d", len(datagram), size)
	default:
		d.state = d.table.Get(d.source, received)
		read(datagram[:size], datagram[size:])
		d.count()
	}
	return d.err
}

// reader returns what reads the version of datagram, nil for others, and the size
// of its message header.
func (d *Decoder) reader(datagram []byte) (read func(header, body []byte), size int) {
	if len(datagram) < 2 {
		return nil, 0
	}
	switch d.version = binary.BigEndian.Uint16(datagram); d.version {
	case 5:
		d.protocol = netflow5
		return d.readV5, headerSizeV5
	case 9:
		d.protocol = netflow9
		return d.readV9, headerSizeV9
	case 10:
		d.protocol = ipfix
		return d.readIPFIX, headerSizeIPFIX
	}
	return nil, 0
}

func (d *Decoder) count() {
	d.protocol.records.Add(float64(d.records))
	d.protocol.unknownRates.Add(float64(d.unrated))
}

// fail counts a problem, and keeps it if it is the first of the datagram. Others
// are not even formatted, so that a datagram of nothing but problems is no more
// work than a good one.
func (d *Decoder) fail(reason, format string, args ...any) {
	metrics.DecodeErrors.WithLabelValues(d.protocol.label, reason).Inc()
	if d.err == nil {
		d.err = fmt.Errorf("decode %s of %s: %w", d.protocol.label, d.source, fmt.Errorf(format, args...))
	}
}

// finish completes a record with what does not come from its own fields, and emits
// it. Sampler is the one that the record names, or 0; a record that carries its rate
// has it set already.
func (d *Decoder) finish(r *flow.Record, sampler uint64) {
	r.Type = d.protocol.flowType
	r.TimeReceived = uint64(d.received)
	r.SequenceNum = d.sequence
	r.SamplerAddress = d.source
	if said := r.SamplingRate; d.rate == 0 || sampler != d.sampler || said != d.said {
		d.sampler, d.said = sampler, said
		d.rate, d.rateSource = d.state.Rate(d.version, d.domain, sampler, said)
	}
	r.SamplingRate, r.SamplingRateSource = d.rate, d.rateSource
	if d.rateSource == pb.FlowMessage_RATE_UNKNOWN {
		d.unrated++
	}
	d.records++
	d.emit(r)
}
