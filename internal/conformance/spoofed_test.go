package conformance

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// spoofer makes the datagrams of exporters with forged addresses: sFlow, whose agent is
// forged, NetFlow v9 with a template of its own and flows that follow it, IPFIX whose
// template never comes, and NetFlow v5.
type spoofer struct {
	sflow, netflow9, ipfix, netflow5 []byte
}

func newSpoofer(t *testing.T) *spoofer {
	return &spoofer{
		sflow:    sampled(serialize(t, ethernet(layers.EthernetTypeIPv4), ipv4(6), tcp())),
		netflow9: netflow9(set(templates9, template(256, octets, sourceIPv4)), set(256, words(100, 1))),
		ipfix:    ipfix(set(300, words(100, 1))),
		netflow5: netflow5(1, record5(uptime, uptime)),
	}
}

// send decodes the datagram number i of the exporter with the number address.
func (s *spoofer) send(c *collector, i int, address uint32) {
	const agent = 8 // where sFlow has it
	from := netip.AddrFrom4([4]byte(u32(0x0b000000 + address)))
	datagrams := [...][]byte{s.sflow, s.netflow9, s.ipfix, s.netflow5}
	datagram := datagrams[i%len(datagrams)]
	if i%len(datagrams) == 0 {
		binary.BigEndian.PutUint32(datagram[agent:], 0x0b000000+address)
	}
	c.decode(datagram, netip.AddrPortFrom(from, 1024), received.Add(time.Duration(i)*10*time.Microsecond))
}

func TestGoflow2Defect20AMillionSpoofedExportersTakeLessThan64MiB(t *testing.T) {
	const most = 64 << 20
	datagrams := 1_000_000
	if testing.Short() {
		datagrams = 50_000
	}
	s := newSpoofer(t)
	run := func(datagrams int, address func(i int) uint32) (each time.Duration, grown, flows int) {
		before, begun := heap(), time.Now()
		c := newCollector(exporter.Config{})
		c.emit = func(*flow.Record) { flows++ }
		for i := range datagrams {
			s.send(c, i, address(i))
		}
		each = time.Since(begun) / time.Duration(datagrams)
		grown = heap() - before
		runtime.KeepAlive(c)
		return each, grown, flows
	}
	one, _, _ := run(datagrams/10, func(int) uint32 { return 1 })
	each, grown, flows := run(datagrams, func(i int) uint32 { return uint32(i) })
	t.Logf("%d datagrams from as many addresses: %.1f MiB, %v for each, %v from one address", datagrams, float64(grown)/(1<<20), each, one)
	if grown > most {
		t.Errorf("%d bytes are kept, want less than %d", grown, most)
	}
	if want := datagrams * 3 / 4; flows != want {
		t.Errorf("%d flows, want %d: all but those without template", flows, want)
	}
}
