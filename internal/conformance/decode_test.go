package conformance

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/netflow"
	"github.com/leoluk/NetMeta/internal/replay"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// source is where datagrams come from, where a test does not say.
var source = netip.MustParseAddrPort("192.0.2.1:50123")

// collector decodes datagrams as the collector does, and keeps what they hold.
type collector struct {
	table    *exporter.Table
	netflow  *netflow.Decoder
	sflow    *sflow.Decoder
	emit     func(*flow.Record) // may be replaced
	flows    []flow.Record
	counters []flow.Counters
}

func newCollector(config exporter.Config) *collector {
	c := &collector{table: exporter.NewTable(config)}
	c.emit = func(r *flow.Record) { c.flows = append(c.flows, *r) }
	emit := func(r *flow.Record) { c.emit(r) }
	count := func(b *flow.Counters) { c.counters = append(c.counters, *b) }
	c.netflow = netflow.NewDecoder(c.table, emit, count)
	c.sflow = sflow.NewDecoder(c.table, emit, count)
	return c
}

// decode takes one datagram of any protocol.
func (c *collector) decode(payload []byte, from netip.AddrPort, received time.Time) error {
	if replay.Detect(payload) == replay.SFlow {
		return c.sflow.Decode(payload, from, received)
	}
	return c.netflow.Decode(payload, from, received)
}

// datagram is one of a capture, and what was decoded of it.
type datagram struct {
	replay.Datagram
	source   netip.AddrPort
	flows    []flow.Record
	counters []flow.Counters
}

// decoded is a capture and its datagrams, those with the templates of its device
// first.
type decoded struct {
	capturetest.Capture
	preface   []datagram // of other files of the device
	datagrams []datagram
}

// all returns the datagrams in the order in which they were decoded.
func (d *decoded) all() []datagram { return slices.Concat(d.preface, d.datagrams) }

// flows returns the flows of all datagrams.
func (d *decoded) flows() (flows []flow.Record) {
	for i := range d.datagrams {
		flows = append(flows, d.datagrams[i].flows...)
	}
	return flows
}

// always is longer than lies between the captures of a device, which were received
// when they were exported.
const always = 50 * 365 * 24 * time.Hour

// decodeAll decodes every capture, each as if it came from an address of its own.
func decodeAll(t *testing.T) []*decoded {
	t.Helper()
	captures := capturetest.All(t)
	var list []*decoded
	for i, capture := range captures {
		d := &decoded{Capture: capture}
		c := newCollector(exporter.Config{Idle: always, Lifetime: always, TemplateWait: always})
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), source.Port())
		for _, other := range captures {
			// Data of other files would be counted as this one's.
			if other.Templates > 0 && other.Records == 0 && other.Device() == d.Device() && other.Path != d.Path {
				d.preface = append(d.preface, c.decodeFile(t, other.Path, from)...)
			}
		}
		d.datagrams = c.decodeFile(t, capture.Path, from)
		list = append(list, d)
	}
	return list
}

// decodeFile decodes the datagrams of a file, each received when it was exported.
func (c *collector) decodeFile(t *testing.T, path string, from netip.AddrPort) (list []datagram) {
	t.Helper()
	for captured, err := range replay.Datagrams(path) {
		if err != nil {
			t.Fatal(err)
		}
		d := datagram{Datagram: captured, source: from}
		c.flows, c.counters = nil, nil
		_ = c.decode(captured.Payload, from, exported(captured.Payload))
		d.flows, d.counters = c.flows, c.counters
		list = append(list, d)
	}
	return list
}
