package generate

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// listen opens a UDP socket that is closed with the test.
func listen(t testing.TB, address string) net.PacketConn {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}

// wire records what all exporters of a test send, instead of a network.
type wire struct {
	sent []packet
}

type packet struct {
	source  netip.Addr
	payload []byte
}

func (w *wire) dial(local netip.Addr) (net.Conn, error) {
	if !local.IsValid() {
		local = netip.IPv6Loopback()
	}
	return &wireConn{wire: w, local: local}, nil
}

func (w *wire) bytes() []byte {
	var all bytes.Buffer
	for _, p := range w.sent {
		all.Write(p.payload)
	}
	return all.Bytes()
}

type wireConn struct {
	net.Conn
	wire  *wire
	local netip.Addr
}

func (c *wireConn) Write(b []byte) (int, error) {
	c.wire.sent = append(c.wire.sent, packet{c.local, bytes.Clone(b)})
	return len(b), nil
}

func (c *wireConn) Close() error { return nil }

func (c *wireConn) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.local, 40000))
}

var testStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testOptions are options of a run that sends to w and has a clock of its own.
func testOptions(protocol Protocol, w *wire) Options {
	return Options{
		Protocol:      protocol,
		To:            "127.0.0.1:9",
		Flows:         5000,
		Rate:          100_000,
		Exporters:     4,
		Seed:          7,
		SamplingRates: []uint32{512, 1000, 2000},
		IPv6Share:     0.3,
		Start:         testStart,
		dial:          w.dial,
	}
}

// play sends o.Flows records without pacing and returns them as the exporters had them,
// with the times that they carry, and the report.
// keep returns a copy of r that does not change with the next record.
func keep(r *flow.Record) flow.Record {
	kept := *r
	kept.ASPath, kept.Communities = slices.Clone(r.ASPath), slices.Clone(r.Communities)
	return kept
}

func play(t testing.TB, o Options) ([]observation, Report) {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	r := &run{Options: o, population: newPopulation(o.Seed)}
	if err := r.open(netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	records := make([]observation, o.Flows)
	for n := range o.Flows {
		now := r.now(time.Time{}, n)
		if err := r.deal(1, time.Time{}); err != nil {
			t.Fatal(err)
		}
		records[n] = r.exporters[n%uint64(o.Exporters)].next
		records[n].Record = keep(&records[n].Record)
		records[n].received(now)
	}
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	return records, newReport(r.exporters)
}
