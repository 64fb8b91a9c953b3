package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/replay"
)

func TestCapturesOfRealExportersAreStored(t *testing.T) {
	captures := capturetest.All(t)
	i := start(t, t.TempDir())

	// Every capture comes from an address of its own, behind the templates of its
	// device: template ids of different devices do not collide, and rows can be told
	// apart by their exporter.
	sent := 0
	for n, c := range captures {
		out := newSource(t, i, sourceAddress(n))
		for _, other := range captures {
			// Data of other files would be counted as this one's.
			if other.Templates > 0 && other.Records == 0 && other.Device() == c.Device() && other.Path != c.Path {
				sent += out.replay(t, other.Path)
			}
		}
		sent += out.replay(t, c.Path)
	}
	rows := i.rowsByExporter(t, sent)

	var table strings.Builder
	total, expected := 0, 0
	for n, c := range captures {
		got := rows[sourceAddress(n)]
		want, exact := c.Readable()
		if (got < want && c.Missing == 0) || (exact && got != want) {
			t.Errorf("%s: %d rows in flows_raw, want %d", c.Path, got, want)
		}
		if got > 0 || want > 0 {
			fmt.Fprintf(&table, "%6d %6d  %s\n", got, want, c.Path)
		}
		total, expected = total+got, expected+want
	}
	if total < expected {
		t.Errorf("%d rows in flows_raw, want %d", total, expected)
	}
	t.Logf("rows in flows_raw, records according to INDEX.md:\n%s%6d %6d  in all", &table, total, expected)
}

// sourceAddress is where the nth capture is sent from.
func sourceAddress(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}) }

// source sends datagrams from an address.
type source struct {
	address netip.Addr
	conn    *net.UDPConn
	to      map[replay.Protocol]string
}

func newSource(t *testing.T, i *instance, address netip.Addr) *source {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &source{address, conn, map[replay.Protocol]string{
		replay.SFlow: i.SFlow, replay.NetFlow5: i.NetFlowLegacy, replay.NetFlow9: i.NetFlow, replay.IPFIX: i.NetFlow,
	}}
}

// replay sends the datagrams of a file and returns how many there were.
func (s *source) replay(t *testing.T, path string) (sent int) {
	t.Helper()
	for datagram, err := range replay.Datagrams(path) {
		if err != nil {
			t.Fatal(err)
		}
		to, known := s.to[datagram.Protocol]
		if !known {
			continue
		}
		if datagram.Protocol == replay.SFlow {
			s.becomeAgent(datagram.Payload)
		}
		if _, err := s.conn.WriteToUDPAddrPort(datagram.Payload, netip.MustParseAddrPort(to)); err != nil {
			t.Fatalf("send %s: %v", path, err)
		}
		sent++
	}
	return sent
}

// becomeAgent puts the source's address into an sFlow datagram, which carries the
// address of the exporter itself (sFlow version 5, struct sample_datagram_v5).
func (s *source) becomeAgent(datagram []byte) {
	const at = 8 // behind the version and the kind of address
	if len(datagram) < at {
		return
	}
	switch address := datagram[at:]; binary.BigEndian.Uint32(datagram[4:]) {
	case 1:
		a := s.address.As4()
		copy(address, a[:])
	case 2:
		a := s.address.As16()
		copy(address, a[:])
	}
}

// rowsByExporter returns how many rows flows_raw has of each exporter, once that
// many datagrams were received, and every record that was read in them is stored.
func (i *instance) rowsByExporter(t *testing.T, datagrams int) map[netip.Addr]int {
	t.Helper()
	rows := make(map[netip.Addr]int)
	eventually(t, "everything that was received is in flows_raw", func() error {
		if n := i.metric(t, "netmeta_listen_datagrams_total", ""); n != float64(datagrams) {
			return fmt.Errorf("%v of %d datagrams were received", n, datagrams)
		}
		records := i.metric(t, "netmeta_records_total", "")
		answer, err := i.ask("SELECT SamplerAddress, count() FROM flows_raw GROUP BY SamplerAddress")
		if err != nil {
			return err
		}
		stored := 0
		for line := range strings.Lines(answer) {
			var address string
			var count int
			if _, err := fmt.Sscan(line, &address, &count); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			rows[netip.MustParseAddr(address).Unmap()] = count
			stored += count
		}
		if float64(stored) != records {
			return fmt.Errorf("%d of %v records are stored", stored, records)
		}
		return nil
	})
	return rows
}
