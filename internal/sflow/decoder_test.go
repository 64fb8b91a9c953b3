package sflow_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/sflow"
	"github.com/leoluk/NetMeta/pb"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{})

func TestEveryFieldOfFlowSamplesIsRead(t *testing.T) {
	want := []flow.Record{{
		Type: pb.FlowMessage_SFLOW_5, SequenceNum: 42, SamplerAddress: netip.MustParseAddr("192.0.2.10"),
		TimeReceived: 1_700_000_000, TimeFlowStart: 1_700_000_000, TimeFlowEnd: 1_700_000_000,
		SamplingRate: 1000, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
		Bytes: 1500, Packets: 1, InIf: 3, OutIf: 5, HasFlowDirection: true,
		DstMac: 0x02000000000b, SrcMac: 0x02000000000a, VlanID: 100, SrcVlan: 100, DstVlan: 200,
		Etype: 0x0800, IPTos: 0xb8, FragmentID: 0x1234, IPTTL: 64, Proto: 17,
		SrcAddr: netip.MustParseAddr("192.0.2.1"), DstAddr: netip.MustParseAddr("198.51.100.2"),
		SrcPort: 50000, DstPort: 53,
		NextHop: netip.MustParseAddr("198.51.100.254"), SrcNet: 24, DstNet: 16,
		SrcAS: 64496, NextHopAS: 64501, DstAS: 64502,
		BGPNextHop: netip.MustParseAddr("198.51.100.254"), ASPath: []uint32{64501, 64502},
	}, {
		Type: pb.FlowMessage_SFLOW_5, SequenceNum: 42, SamplerAddress: netip.MustParseAddr("192.0.2.10"),
		TimeReceived: 1_700_000_000, TimeFlowStart: 1_700_000_000, TimeFlowEnd: 1_700_000_000,
		SamplingRate: 512, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
		Bytes: 48, Packets: 1, InIf: 83886080, OutIf: 83886081, HasFlowDirection: true, FlowDirection: 1,
		Etype: 0x86dd, IPTos: 0xb8, IPv6FlowLabel: 0xabcde, IPTTL: 64, Proto: 17,
		SrcAddr: netip.MustParseAddr("2001:db8::1"), DstAddr: netip.MustParseAddr("2001:db8:1::2"),
		SrcPort: 50000, DstPort: 53,
	}}
	got, err := decode(t, golden.Bytes(t, "flow-samples"))
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, compareAddrs, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
}

func TestRecordCountThatLiesCostsNoMemory(t *testing.T) {
	datagram := golden.Bytes(t, "denial-of-service")
	emit := func(*flow.Record) { t.Error("a flow was made of a sample that lies") }
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), emit, nil)
	before := allocated()
	err := d.Decode(datagram, source, received)
	if got := allocated() - before; got > 64<<10 {
		t.Errorf("%d bytes allocated for a datagram of %d", got, len(datagram))
	}
	const want = "decode sflow datagram from 203.0.113.9:50123: flow sample 1: 67108864 records in 0 bytes"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Anybody can send what cannot be read, as fast as what can.
func TestDatagramsFullOfErrorsAllocateNothing(t *testing.T) {
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) {}, func(*flow.Counters) {})
	for name, datagram := range map[string][]byte{
		"another version": words(4, 1, 0xc000020a), "a cut header": realistic()[:20], "a cut sample": realistic()[:100],
		"bad records": badRecords(), "bad counters": datagramOf(framed(2, words(1, 3, 1), framed(1, words(3, 6)))),
	} {
		decode := func() {
			if d.Decode(datagram, source, received) == nil {
				t.Fatalf("%s: no error", name)
			}
		}
		if n := testing.AllocsPerRun(100, decode); n != 0 {
			t.Errorf("%s: %v allocations per datagram", name, n)
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) {}, func(*flow.Counters) {})
	for name, datagram := range map[string][]byte{
		"realistic": realistic(), "extended records": golden.Bytes(t, "extended-records"), "counters": golden.Bytes(t, "counter-samples"),
	} {
		decode := func() {
			if err := d.Decode(datagram, source, received); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(100, decode); n != 0 {
			t.Errorf("%s: %v allocations per datagram", name, n)
		}
	}
}

// Every datagram comes from another agent, with a port name that was not there before.
func TestForgedAgentsTakeBoundedMemory(t *testing.T) {
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) {}, func(*flow.Counters) {})
	send := func(from, to uint32) {
		for agent := from; agent < to; agent++ {
			b := datagram(words(1, agent), numbered(agent, agent, agent), portNamed(fmt.Sprint("port ", agent)))
			if err := d.Decode(b, source, received); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(0, 20_000)
	before := inUse()
	send(20_000, 60_000)
	if grown := inUse() - before; grown > 4<<20 {
		t.Errorf("40,000 forged agents more take %d bytes more", grown)
	}
	runtime.KeepAlive(d)
}

// inUse returns the bytes that are in use after collecting garbage.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A datagram cut anywhere gives the flows of the samples that are whole, the same
// as before, and says that something is missing.
func TestCutDatagramGivesItsWholeSamples(t *testing.T) {
	whole := golden.Bytes(t, "flow-samples")
	all, err := decode(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	const endOfFirst = 28 + 8 + 200
	for n := range whole {
		got, err := decode(t, whole[:n:n])
		if err == nil {
			t.Errorf("cut at byte %d: no error", n)
		}
		want := all[:0]
		if n >= endOfFirst {
			want = all[:1]
		}
		if diff := cmp.Diff(want, got, compareAddrs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("cut at byte %d, records differ (-want +got):\n%s", n, diff)
		}
	}
}

func TestProblemsAreCountedAndCostOnlyThemselves(t *testing.T) {
	var (
		good      = sampleOf(rawHeader(1, 1500, tcpFrame))
		switching = framed(1001, words(10, 0, 20, 0))
		short     = framed(1, words(1, 1500))
	)
	for _, test := range []struct {
		promise  string
		datagram []byte
		reason   string
		message  string
		flows    int
	}{
		{"another version is refused", words(4, 1, 0xc000020a), "version", "version 4, want 5", 0},
		{"an empty datagram is refused", nil, "datagram_header", "header: 4 bytes wanted, 0 left", 0},
		{"a cut header is refused", datagramOf(good)[:20], "datagram_header", "header: 4 bytes wanted, 0 left", 0},
		{"an address of unknown type is refused", datagram(words(3, 0), good), "datagram_header",
			"address of unknown type 3", 0},
		{"a sample longer than the datagram leaves those before it", datagramOf(good, words(1, 999)), "samples_missing",
			"sample 2 of 2: 999 bytes wanted, 0 left", 1},
		{"more samples claimed than there are leaves those", join(words(5, 1, 0xc000020a, 0, 42, 0, 0xffffffff), good),
			"samples_missing", "sample 2 of 4294967295: 8 bytes wanted, 0 left", 1},
		{"a sample too short for its header leaves the others", datagramOf(framed(1, words(1, 2, 3)), good),
			"sample_header", "header of flow sample: 32 bytes wanted, 12 left", 1},
		{"a flow sample that claims too many records leaves the others",
			datagramOf(framed(1, words(1, 3, 1, 0, 0, 3, 5, 2), switching[:8]), good),
			"record_count", "flow sample 1: 2 records in 8 bytes", 1},
		{"a record longer than its sample leaves those before it",
			datagramOf(framed(1, words(1, 3, 1, 0, 0, 3, 5, 2), switching, words(1, 999)), good),
			"records_missing", "record 2 of 2: 999 bytes wanted, 0 left", 2},
		{"a raw header record too short for its fields leaves the others",
			datagramOf(sampleOf(short, switching), good), "record", "flow sample 1: record 1 of format 1: 12 bytes wanted, 8 left", 2},
		{"a raw header longer than its record is refused",
			datagramOf(sampleOf(framed(1, words(1, 1500, 0, 999), tcpFrame)), good),
			"record", "record 1 of format 1: 999 bytes wanted, 54 left", 2},
		{"a switch record too short for its fields leaves the others",
			datagramOf(sampleOf(framed(1001, words(10)), rawHeader(1, 1500, tcpFrame))), "record", "record 1 of format 1001: 16 bytes wanted, 4 left", 1},
		{"a router record with an unknown type of address leaves the others",
			datagramOf(sampleOf(framed(1002, words(9, 0, 24, 16)), rawHeader(1, 1500, tcpFrame))),
			"record", "record 1 of format 1002: address of unknown type 9", 1},
		{"an AS path longer than its record is refused",
			datagramOf(sampleOf(framed(1003, words(1, 0, 1, 2, 3, 1, 2, 0xffffffff)))),
			"record", "record 1 of format 1003: 17179869180 bytes wanted, 0 left", 1},
		{"more AS path segments claimed than there are is refused",
			datagramOf(sampleOf(framed(1003, words(1, 0, 1, 2, 3, 0xffffffff, 2, 0)))),
			"record", "record 1 of format 1003: 4 bytes wanted, 0 left", 1},
		{"an Ethernet record too short for its fields is refused",
			datagramOf(sampleOf(framed(2, words(64, 0, 0)))), "record", "record 1 of format 2: 24 bytes wanted, 12 left", 1},
		{"more communities claimed than there are is refused",
			datagramOf(sampleOf(framed(1003, words(1, 0, 1, 2, 3, 0, 0xffffffff)))),
			"record", "record 1 of format 1003: 17179869180 bytes wanted, 0 left", 1},
		{"a label stack longer than its record is refused",
			datagramOf(sampleOf(framed(1006, words(1, 0, 2, 1<<12)))), "record", "record 1 of format 1006: 8 bytes wanted, 4 left", 1},
		{"a NAT record with an address that is cut off is refused",
			datagramOf(sampleOf(framed(1007, words(1, 0, 2, 0)))), "record", "record 1 of format 1007: 16 bytes wanted, 4 left", 1},
		{"a tunnel record too short for its fields is refused",
			datagramOf(sampleOf(framed(1023, words(1)))), "record", "record 1 of format 1023: 32 bytes wanted, 4 left", 1},
		{"a counter sample too short for its header leaves the others",
			datagramOf(framed(2, words(1, 3)), good), "sample_header", "header of counter sample: 4 bytes wanted, 0 left", 1},
		{"a counter sample that claims too many records leaves the others",
			datagramOf(framed(2, words(1, 3, 0xffffffff)), good), "record_count", "counter sample: 4294967295 records in 0 bytes", 1},
		{"a counter record longer than its sample leaves the other samples",
			datagramOf(framed(4, words(1, 0, 3, 1, 1, 88)), good), "records_missing", "counter sample: record 1 of 1: 88 bytes wanted, 0 left", 1},
		{"interface counters that are cut off are refused",
			datagramOf(framed(2, words(1, 3, 1), framed(1, words(3, 6))), good), "record", "counter sample: record 1 of format 1: 88 bytes wanted, 8 left", 1},
	} {
		t.Run(test.promise, func(t *testing.T) {
			counter := metrics.DecodeErrors.WithLabelValues(metrics.SFlow, test.reason)
			before := testutil.ToFloat64(counter)
			flows, err := decode(t, test.datagram)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %v, want one about %q", err, test.message)
			}
			if got := testutil.ToFloat64(counter) - before; got != 1 {
				t.Errorf("reason %s counted %v times, want once", test.reason, got)
			}
			if len(flows) != test.flows {
				t.Errorf("%d flows, want %d", len(flows), test.flows)
			}
		})
	}
}

func TestOtherSamplesAreCountedAndSkipped(t *testing.T) {
	const vendor = 8800<<12 | 1
	good := sampleOf(rawHeader(1, 1500, tcpFrame))
	for _, test := range []struct {
		kind   string
		format uint32
	}{
		{"counter", 2}, {"expanded_counter", 4}, {"discarded_packet", 5}, {"other", 6}, {"other", vendor},
	} {
		flows, err := decode(t, datagramOf(framed(test.format, words(1, 2, 0, 0)), good))
		if err != nil {
			t.Errorf("format %#x: %v", test.format, err)
		}
		if len(flows) != 1 || flows[0].Bytes != 1500 {
			t.Errorf("format %#x cost the flow behind it: %v", test.format, flows)
		}
		if testutil.ToFloat64(sflow.Samples.WithLabelValues(test.kind)) == 0 {
			t.Errorf("format %#x is not counted as %s", test.format, test.kind)
		}
	}
}
