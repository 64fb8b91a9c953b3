// Package netflow reads NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011)
// datagrams into flow records.
//
// A datagram is read from the outside in: message header (v5.go, message.go), sets
// (sets.go), the templates (template.go) or records (data.go, options.go) of a set, the
// fields of a record (fields.go, compiled by program.go and read by run.go), and last
// what the fields mean together (resolve.go, extras.go, times.go, biflow.go) and
// how much they stand for (finish.go). Every length and count is checked against the
// bytes that are there before it is believed, and a problem costs no more than the
// smallest part that it makes unreadable: a record, a set, or the rest of the datagram.
// What lacks its template is kept for it (hold.go).
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

// undetermined is the label protocol of datagrams that do not say what they are.
const undetermined = "netflow"

// The counters of each protocol.
var records, unknownRates = byProtocol(metrics.Records), byProtocol(metrics.UnknownRates)

func byProtocol(vec *prometheus.CounterVec) (counters [len(flow.Protocols)]prometheus.Counter) {
	for _, p := range []flow.Protocol{flow.NetFlow5, flow.NetFlow9, flow.IPFIX} {
		counters[p] = vec.WithLabelValues(p.String())
	}
	return counters
}

// Decoder reads datagrams of all three versions. It is not safe for concurrent
// use: every goroutine has its own, and all share the Table.
type Decoder struct {
	table *exporter.Table
	emit  func(*flow.Record)
	count func(*flow.Counters)

	// The datagram at hand.
	message
	now         time.Time // when it was received
	state       *exporter.State
	err         error // the first problem
	pending     []dataSet
	released    []releasedSet // whose templates it brought
	held        bool          // some of it waits for a template
	allowed     int           // records that may still be read
	dataRecords int           // that were read
	records     int           // that were emitted
	unrated     int           // of those
	rate        rateAnswer

	values      values // of the record at hand
	reverse     values // of its other direction, see biflow.go
	hasReverse  bool
	communities [flow.MaxCommunities]uint32 // memory for those of the record
	counters    flow.Counters               // handed to count
	text        [flow.MaxName]byte          // memory for its name

	fields   []exporter.Field // of the template at hand
	programs map[*exporter.Template]*program
	compiled int // fields in all of them, see maxCompiled
	names    map[string]string
}

// NewDecoder returns a decoder that keeps templates and sampling rates in table and
// hands every flow record to emit, and to count what options data say of the name of an
// interface; count may be nil. Both are valid until the function returns.
func NewDecoder(table *exporter.Table, emit func(*flow.Record), count func(*flow.Counters)) *Decoder {
	return &Decoder{
		table: table, emit: emit, count: count,
		programs: make(map[*exporter.Template]*program),
		names:    make(map[string]string),
	}
}

// Decode reads one datagram, which the exporter at source sent and which arrived at
// received. Everything that is readable has been emitted when it returns, but for data
// sets whose template is unknown: they wait for it in the table. The error is the first
// problem; all problems have been counted by then in netmeta_decode_errors_total, so a
// caller may ignore it. The datagram is the caller's again when Decode returns.
func (d *Decoder) Decode(datagram []byte, source netip.AddrPort, received time.Time) error {
	d.message = message{source: source.Addr().Unmap(), received: received.Unix()}
	d.now, d.err, d.held = received, nil, false
	d.dataRecords, d.records, d.unrated, d.rate.known = 0, 0, 0, false
	d.allowed = freeRecords + len(datagram)/minRecordBytes
	if len(datagram) < 2 {
		d.fail(reasonTruncated, "message of %d bytes is too short for a version", len(datagram))
		return d.err
	}
	d.version = binary.BigEndian.Uint16(datagram)
	read, size := d.reader()
	switch {
	case read == nil:
		d.fail(reasonVersion, "version %d is not NetFlow v5, v9 or IPFIX", d.version)
	case len(datagram) < size:
		d.fail(reasonTruncated, "message of %d bytes is too short for a header of %d", len(datagram), size)
	default:
		d.state = d.table.Get(d.source, received)
		d.state.Received(d.protocol, len(datagram))
		read(datagram)
		d.state.AddRecords(d.protocol, d.records, d.unrated)
		records[d.protocol].Add(float64(d.records))
		unknownRates[d.protocol].Add(float64(d.unrated))
	}
	return d.err
}

// reader returns what reads datagrams of d.version, nil for others, and the size of
// their header.
func (d *Decoder) reader() (read func(datagram []byte), headerSize int) {
	switch d.version {
	case 5:
		d.protocol, d.flowType = flow.NetFlow5, pb.FlowMessage_NETFLOW_V5
		return d.readV5, headerSizeV5
	case 9:
		d.protocol, d.flowType = flow.NetFlow9, pb.FlowMessage_NETFLOW_V9
		return d.readV9, headerSizeV9
	case 10:
		d.protocol, d.flowType = flow.IPFIX, pb.FlowMessage_IPFIX
		return d.readIPFIX, headerSizeIPFIX
	}
	return nil, 0
}

// label names the protocol of the datagram in metrics and errors.
func (d *Decoder) label() string {
	if d.flowType == pb.FlowMessage_FLOWUNKNOWN {
		return undetermined
	}
	return d.protocol.String()
}

// fail counts a problem, and keeps it if it is the first of the datagram. Others
// are not even formatted, so that a datagram of nothing but problems is no more
// work than a good one.
func (d *Decoder) fail(reason, format string, args ...any) {
	metrics.DecodeErrors.WithLabelValues(d.label(), reason).Inc()
	if d.err == nil {
		d.err = fmt.Errorf("decode %s of %s: %w", d.label(), d.source, fmt.Errorf(format, args...))
	}
}
