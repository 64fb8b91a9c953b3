//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/netflow"
)

func TestSyntheticTrafficHasRecordsOfEveryProtocol(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			got, err := load(t.Context(), protocol, "")
			if err != nil {
				t.Fatal(err)
			}
			if len(got.cycle) == 0 || got.records < len(got.cycle)-2 || got.packets < got.records {
				t.Errorf("%d datagrams with %d records of %d packets", len(got.cycle), got.records, got.packets)
			}
		})
	}
	if _, err := load(t.Context(), "netflow1", ""); err == nil {
		t.Error("no error for a protocol that does not exist")
	}
}

func TestCapturesHoldWhatTheBenchmarkCounts(t *testing.T) {
	for _, protocol := range []string{"netflow9", "ipfix"} {
		t.Run(protocol, func(t *testing.T) {
			got, err := load(t.Context(), protocol, capturetest.Dir(t))
			if err != nil {
				t.Fatal(err)
			}
			records, packets := 0, 0
			d := netflow.NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) {
				records++
				packets += int(r.Packets)
			}, nil)
			for _, datagram := range got.cycle {
				if err := d.Decode(datagram, netip.MustParseAddrPort("192.0.2.1:2055"), time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			if records != got.records || packets != got.packets {
				t.Errorf("%d records of %d packets, want %d of %d", records, packets, got.records, got.packets)
			}
		})
	}
}

func TestSenderSendsWholeCyclesInOrderWithSequenceNumbers(t *testing.T) {
	const template, data = 0, 256
	message := func(set uint16) []byte {
		b := make([]byte, 40)
		binary.BigEndian.PutUint16(b[16:], set)
		return b
	}
	traffic := traffic{protocol: "ipfix", records: 8, cycle: [][]byte{message(template), message(data), message(data), message(data)}}
	// 8 records in 4 datagrams: the mean is 2, which is what each data message counts for.
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := newSender(traffic, conn.LocalAddr().(*net.UDPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	warm, err := s.run(t.Context(), 1000, 0)
	if err != nil || warm != traffic.records {
		t.Fatalf("%d records sent in no time, error %v, want one cycle of %d", warm, err, traffic.records)
	}
	records, err := s.run(t.Context(), 1000, 10*time.Millisecond)
	if err != nil || records == 0 || records%traffic.records != 0 {
		t.Fatalf("%d records sent, error %v, want whole cycles of %d", records, err, traffic.records)
	}
	records += warm
	buffer, sequence := make([]byte, 100), uint32(0)
	for i := range records / traffic.records * len(traffic.cycle) {
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		set := binary.BigEndian.Uint16(buffer[16:])
		if want := binary.BigEndian.Uint16(traffic.cycle[i%4][16:]); n != 40 || set != want {
			t.Fatalf("datagram %d has %d bytes and set %d, want 40 and %d", i, n, set, want)
		}
		if got := binary.BigEndian.Uint32(buffer[8:]); got != sequence {
			t.Fatalf("datagram %d has sequence number %d, want %d", i, got, sequence)
		}
		if set == data {
			sequence += 2
		}
	}
}

func TestSenderEndsWithItsContext(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := newSender(traffic{protocol: "sflow", records: 1, cycle: [][]byte{make([]byte, 40)}}, conn.LocalAddr().(*net.UDPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.run(ctx, 1, time.Hour); err == nil {
		t.Error("no error although not all was sent")
	}
}
