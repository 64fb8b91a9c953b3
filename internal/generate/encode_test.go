package generate

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestAnotherDecoderReadsEveryRecordBack(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			sent, _ := play(t, testOptions(protocol, w))
			o := newOracle(t)
			for _, p := range w.sent {
				o.read(p)
			}
			want := make([]string, len(sent))
			for i := range sent {
				want[i] = carried(protocol, sent[i].Record)
			}
			got := make([]string, len(o.records))
			for i, r := range o.records {
				got[i] = carried(protocol, r)
			}
			// A datagram has its IPv4 records in front of its IPv6 records.
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("records sent and read differ (-sent +read):\n%.4000s", diff)
			}
		})
	}
}

// carried prints a record without what the protocol does not carry.
func carried(protocol Protocol, r flow.Record) string {
	r.TimeReceived, r.SequenceNum = 0, 0
	switch protocol {
	case SFlow:
		r.TimeFlowStart, r.TimeFlowEnd = 0, 0
	case NetFlow9:
		// The header has whole seconds, so times are read up to one second early,
		// which a test of its own looks at.
		r.TimeFlowStart, r.TimeFlowEnd = 0, 0
	}
	return fmt.Sprintf("%+v", r)
}

func TestNetFlow9TimesAreWithinTheSecondOfTheHeader(t *testing.T) {
	w := &wire{}
	o := testOptions(NetFlow9, w)
	o.Exporters, o.IPv6Share = 1, 0 // one set, so that records stay in order
	sent, _ := play(t, o)
	read := newOracle(t)
	for _, p := range w.sent {
		read.read(p)
	}
	for i, r := range read.records {
		start, end := sent[i].TimeFlowStart-r.TimeFlowStart, sent[i].TimeFlowEnd-r.TimeFlowEnd
		if start > 1 || end > 1 {
			t.Fatalf("record %d: sent with %d to %d, read as %d to %d", i,
				sent[i].TimeFlowStart, sent[i].TimeFlowEnd, r.TimeFlowStart, r.TimeFlowEnd)
		}
	}
}

func TestReportIsTheSumOfWhatWasSent(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			_, report := play(t, testOptions(protocol, w))
			o := newOracle(t)
			for _, p := range w.sent {
				o.read(p)
			}
			sums := make(map[netip.Addr]Totals)
			for _, r := range o.records {
				sum := sums[r.SamplerAddress]
				sum.Address = r.SamplerAddress
				sum.count(&observation{Record: r})
				sums[r.SamplerAddress] = sum
			}
			if len(sums) != 4 || len(report.Exporters) != 4 {
				t.Fatalf("%d exporters reported, %d on the wire, want 4", len(report.Exporters), len(sums))
			}
			for _, e := range report.Exporters {
				if e != sums[e.Address] {
					t.Errorf("reported %+v, on the wire is %+v", e, sums[e.Address])
				}
			}
			if int(report.Datagrams) != len(w.sent) {
				t.Errorf("reported %d datagrams, on the wire are %d", report.Datagrams, len(w.sent))
			}
		})
	}
}

func TestDatagramsFitAndAreFull(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			play(t, testOptions(protocol, w))
			longest := 0
			for _, p := range w.sent {
				longest = max(longest, len(p.payload))
			}
			if longest > maxDatagram || longest < maxDatagram*8/10 {
				t.Errorf("longest datagram has %d bytes, want close to %d and no more", longest, maxDatagram)
			}
		})
	}
}

func TestGoldenBytes(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			o := testOptions(protocol, w)
			// The second exporter reports in the richer way.
			o.Flows, o.Exporters = 6, 2
			play(t, o)
			if *update {
				writeGolden(t, string(protocol), w)
			}
			if want := golden.Bytes(t, string(protocol)); !bytes.Equal(w.bytes(), want) {
				t.Errorf("datagrams differ from testdata/%s.hex:\n% x", protocol, w.bytes())
			}
		})
	}
}

func writeGolden(t *testing.T, name string, w *wire) {
	var text bytes.Buffer
	for i, p := range w.sent {
		fmt.Fprintf(&text, "# datagram %d, %d bytes\n", i+1, len(p.payload))
		for line := range slices.Chunk(p.payload, 32) {
			fmt.Fprintln(&text, hex.EncodeToString(line))
		}
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".hex"), text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sequence returns the sequence number of a datagram, and by how much the next one of
// its exporter is to be higher.
func sequence(protocol Protocol, payload []byte, records int) (number uint32, step int) {
	switch protocol {
	case SFlow:
		at := 16 // behind version, address type, IPv4 address and sub-agent
		if payload[7] == 2 {
			at += 12
		}
		return binary.BigEndian.Uint32(payload[at:]), 1
	case NetFlow5:
		return binary.BigEndian.Uint32(payload[16:]), records
	case NetFlow9:
		return binary.BigEndian.Uint32(payload[12:]), 1
	default:
		return binary.BigEndian.Uint32(payload[8:]), records
	}
}

func TestSequenceNumbersHaveNoGaps(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			o := testOptions(protocol, w)
			o.Exporters, o.Flows = 1, 15_000 // some 600 datagrams
			play(t, o)
			read := newOracle(t)
			next, known := 0, false
			announcements := 0
			for i, p := range w.sent {
				before := len(read.records)
				read.read(p)
				records := len(read.records) - before
				if records == 0 {
					announcements++
					records = 1 // the options data of one sampler
				}
				number, step := sequence(protocol, p.payload, records)
				if known && int(number) != next {
					t.Fatalf("datagram %d has sequence number %d, want %d", i, number, next)
				}
				next, known = int(number)+step, true
			}
			if announced := protocol != NetFlow5; announced != (announcements > 1) {
				t.Errorf("templates or interface counters were sent %d times in %d datagrams", announcements, len(w.sent))
			}
		})
	}
}
