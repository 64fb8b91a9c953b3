package sflow_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/sflow"
	"github.com/leoluk/NetMeta/pb"
)

const (
	discardedOut = 1<<30 | 258 // format 1: discarded, no route
	severalOut   = 2<<30 | 2   // format 2: two interfaces
	local        = 0x3fffffff
)

func TestInterfacesAreThoseThatAreSingle(t *testing.T) {
	type interfaces struct {
		In, Out, Direction uint32
		HasDirection       bool
	}
	for _, test := range []struct {
		promise string
		sample  []byte
		want    interfaces
	}{
		{"two interfaces", sample{source: 3, in: 3, out: 5}.bytes(), interfaces{3, 5, 0, true}},
		{"sampled on the way out", sample{source: 5, in: 3, out: 5}.bytes(), interfaces{3, 5, 1, true}},
		{"sent back where it came from", sample{source: 3, in: 3, out: 3}.bytes(), interfaces{3, 3, 0, false}},
		{"discarded", sample{source: 3, in: 3, out: discardedOut}.bytes(), interfaces{3, 0, 0, true}},
		{"to several interfaces", sample{source: 3, in: 3, out: severalOut}.bytes(), interfaces{3, 0, 0, true}},
		{"to several interfaces whose number is the source's", sample{source: 2, in: 3, out: severalOut}.bytes(), interfaces{3, 0, 0, false}},
		{"from the agent itself", sample{source: 5, in: local, out: 5}.bytes(), interfaces{0, 5, 1, true}},
		{"to the agent itself", sample{source: 3, in: 3, out: local}.bytes(), interfaces{3, 0, 0, true}},
		{"sampled in a VLAN with the interface's number", sample{source: 1<<24 | 5, in: 3, out: 5}.bytes(), interfaces{3, 5, 0, false}},
		{"nothing known", sample{}.bytes(), interfaces{0, 0, 0, false}},

		{"expanded: large numbers", expanded{0, 1 << 31, 0, 1 << 30, 0, 1 << 31}.bytes(), interfaces{1 << 30, 1 << 31, 1, true}},
		{"expanded: discarded", expanded{0, 3, 0, 3, 1, 258}.bytes(), interfaces{3, 0, 0, true}},
		{"expanded: several", expanded{0, 3, 0, 3, 2, 4}.bytes(), interfaces{3, 0, 0, true}},
		{"expanded: from the agent itself", expanded{0, 5, 0, local, 0, 5}.bytes(), interfaces{0, 5, 1, true}},
		{"expanded: sampled in a VLAN", expanded{1, 5, 0, 3, 0, 5}.bytes(), interfaces{3, 5, 0, false}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(test.sample))
			if got := (interfaces{r.InIf, r.OutIf, r.FlowDirection, r.HasFlowDirection}); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSamplingRateIsNeverZero(t *testing.T) {
	for _, test := range []struct {
		promise      string
		rate         uint32
		defaultRate  uint64
		want         uint64
		source       pb.FlowMessage_RateSource
		wantUnknowns float64
	}{
		{"the sample's rate", 4096, 0, 4096, pb.FlowMessage_RATE_PACKET, 0},
		{"the sample's rate before the configured one", 1, 1000, 1, pb.FlowMessage_RATE_PACKET, 0},
		{"the configured rate where the sample has none", 0, 1000, 1000, pb.FlowMessage_RATE_CONFIGURED, 0},
		{"1, marked and counted as unknown, where nobody says", 0, 0, 1, pb.FlowMessage_RATE_UNKNOWN, 1},
	} {
		t.Run(test.promise, func(t *testing.T) {
			unknown := metrics.UnknownRates.WithLabelValues(metrics.SFlow)
			before := testutil.ToFloat64(unknown)
			var r flow.Record
			table := exporter.NewTable(exporter.Config{DefaultRate: test.defaultRate})
			d := sflow.NewDecoder(table, func(emitted *flow.Record) { r = *emitted }, nil)
			if err := d.Decode(datagramOf(sample{rate: test.rate}.bytes()), source, received); err != nil {
				t.Fatal(err)
			}
			if r.SamplingRate != test.want || r.SamplingRateSource != test.source {
				t.Errorf("rate %d, %v, want %d, %v", r.SamplingRate, r.SamplingRateSource, test.want, test.source)
			}
			if counted := testutil.ToFloat64(unknown) - before; counted != test.wantUnknowns {
				t.Errorf("%v counted as unknown, want %v", counted, test.wantUnknowns)
			}
		})
	}
}

func TestSamplerIsTheAgentOrTheSender(t *testing.T) {
	for _, test := range []struct {
		promise string
		agent   []byte
		want    string
	}{
		{"IPv4 agent", words(1, 0xc000020a), "192.0.2.10"},
		{"IPv6 agent", words(2, 0x20010db8, 0, 0, 10), "2001:db8::a"},
		{"IPv4 agent mapped into IPv6", words(2, 0, 0, 0xffff, 0xc000020a), "192.0.2.10"},
		{"agent of unknown type", words(0), "203.0.113.9"},
		{"agent 0.0.0.0", words(1, 0), "203.0.113.9"},
		{"agent ::", words(2, 0, 0, 0, 0), "203.0.113.9"},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagram(test.agent, sampleOf()))
			if want := netip.MustParseAddr(test.want); r.SamplerAddress != want {
				t.Errorf("sampler %v, want %v", r.SamplerAddress, want)
			}
		})
	}
}

// Records of other enterprises and formats without a field in FlowMessage.
var unknownRecords = join(framed(4413<<12|1, words(1, 2, 3)), framed(1004, words(0)))

func TestSampleWithoutKnownRecordsIsOnePacket(t *testing.T) {
	for name, s := range map[string][]byte{
		"no records":           sampleOf(),
		"only unknown records": framed(1, words(1, 3, 1000, 0, 0, 3, 5, 2), unknownRecords),
	} {
		r := decodeOne(t, datagramOf(s))
		if r.Packets != 1 || r.Bytes != 0 || r.InIf != 3 || r.OutIf != 5 || r.SamplingRate != 1000 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

var (
	// Summaries of the agent: what they say differs from tcpFrame in every field.
	ipv4Record = framed(3, words(40, 17, 0x0a000001, 0x0a000002, 1000, 2000, 0, 4))
	ipv6Record = framed(4, words(60, 6, 0x20010db8, 0, 0, 1, 0x20010db8, 0, 0, 2, 1000, 2000, 0x12, 8))
	ethernet   = framed(2, words(64, 0x02000000, 0x00010000, 0x02000000, 0x00020000, 0x0800))
)

// What is said twice is taken from the sampled header, in whatever order it comes.
func TestSampledHeaderWinsOverSummaries(t *testing.T) {
	header := rawHeader(1, 1518, tcpFrame)
	want := decodeOne(t, datagramOf(sampleOf(header)))
	if want.Bytes != 1518 || want.Proto != 6 || want.SrcPort != 50000 || want.TCPFlags != 0x12 {
		t.Fatalf("header alone: %+v", want)
	}
	for name, records := range map[string][][]byte{
		"behind the header":      {header, ipv4Record, ethernet},
		"in front of the header": {ipv6Record, ethernet, header},
	} {
		got := decodeOne(t, datagramOf(sampleOf(records...)))
		if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
			t.Errorf("summaries %s change the flow (-want +got):\n%s", name, diff)
		}
	}
}

func TestSummariesStandInForTheHeader(t *testing.T) {
	type packet struct {
		Bytes            uint64
		Src, Dst         string
		Proto            uint32
		SrcPort, DstPort uint32
		Flags, Tos       uint32
		SrcMac, DstMac   uint64
		Etype            uint32
	}
	lldp := unhex("0180c200000e 02000000000a 88cc 0207")
	for _, test := range []struct {
		promise string
		records [][]byte
		want    packet
	}{
		{"IPv4", [][]byte{ipv4Record}, packet{40, "10.0.0.1", "10.0.0.2", 17, 1000, 2000, 0, 4, 0, 0, 0x0800}},
		{"IPv6", [][]byte{ipv6Record}, packet{60, "2001:db8::1", "2001:db8::2", 6, 1000, 2000, 0x12, 8, 0, 0, 0x86dd}},
		{"Ethernet", [][]byte{ethernet},
			packet{64, "invalid IP", "invalid IP", 0, 0, 0, 0, 0, 0x020000000001, 0x020000000002, 0x0800}},
		{"Ethernet with addresses that are not padded", [][]byte{framed(2, words(64), unhex("020000000001 020000000002 00000806"))},
			packet{64, "invalid IP", "invalid IP", 0, 0, 0, 0, 0, 0x020000000001, 0x020000000002, 0x0806}},
		{"Ethernet with a length for its type", [][]byte{framed(2, words(64, 0x02000000, 0x00010000, 0x02000000, 0x00020000, 38))},
			packet{64, "invalid IP", "invalid IP", 0, 0, 0, 0, 0, 0x020000000001, 0x020000000002, 0}},
		{"Ethernet and IPv4", [][]byte{ethernet, ipv4Record},
			packet{40, "10.0.0.1", "10.0.0.2", 17, 1000, 2000, 0, 4, 0x020000000001, 0x020000000002, 0x0800}},
		{"a link layer that is not known, and IPv4", [][]byte{rawHeader(4, 99, tcpFrame), ipv4Record},
			packet{99, "10.0.0.1", "10.0.0.2", 17, 1000, 2000, 0, 4, 0, 0, 0x0800}},
		{"a header without addresses, alone", [][]byte{rawHeader(1, 64, lldp)},
			packet{64, "invalid IP", "invalid IP", 0, 0, 0, 0, 0, 0x02000000000a, 0x0180c200000e, 0x88cc}},
		{"IPv4 with ports where there are none", [][]byte{framed(3, words(84, 1, 0x0a000001, 0x0a000002, 8, 9, 3, 0))},
			packet{84, "10.0.0.1", "10.0.0.2", 1, 0, 0, 0, 0, 0, 0, 0x0800}},
		{"IPv4 with numbers out of range", [][]byte{framed(3, words(84, 17, 0x0a000001, 0x0a000002, 65536, 53, 256, 0xffffffff))},
			packet{84, "10.0.0.1", "10.0.0.2", 17, 0, 53, 0, 0, 0, 0, 0x0800}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(test.records...)))
			got := packet{r.Bytes, r.SrcAddr.String(), r.DstAddr.String(), r.Proto, r.SrcPort, r.DstPort,
				r.TCPFlags, r.IPTos, r.SrcMac, r.DstMac, r.Etype}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("packet differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersOfEveryLinkLayerAreRead(t *testing.T) {
	const ipv6 = "60000000 00003b40 20010db8000000000000000000000001 20010db8000000000000000000000002"
	for _, test := range []struct {
		promise  string
		protocol uint32
		header   string
		src      string
	}{
		{"Ethernet", 1, ethernetHex + ipv4Hex + tcpHex, "192.0.2.1"},
		{"PPP", 7, "0021" + ipv4Hex + tcpHex, "192.0.2.1"},
		{"IPv4", 11, ipv4Hex + tcpHex, "192.0.2.1"},
		{"IPv6", 12, ipv6, "2001:db8::1"},
		{"MPLS", 13, "00064140" + ipv6, "2001:db8::1"},
		{"PPP over SONET", 14, "ff030057" + ipv6, "2001:db8::1"},
		{"token ring is not read", 3, ipv4Hex + tcpHex, "invalid IP"},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(rawHeader(test.protocol, 1000, unhex(test.header)))))
			if r.SrcAddr.String() != test.src || r.Bytes != 1000 {
				t.Errorf("source %v and %d bytes, want %s and 1000", r.SrcAddr, r.Bytes, test.src)
			}
		})
	}
}

// Padding fills a record up to whole words; it is not part of the header.
func TestPaddingOfTheHeaderIsNotRead(t *testing.T) {
	header := unhex(ethernetHex + ipv4Hex + "c350")
	r := decodeOne(t, datagramOf(sampleOf(framed(1, words(1, 1518, 4, uint32(len(header))), header, unhex("01bb")))))
	if r.SrcPort != 0 || r.DstPort != 0 || r.Proto != 6 {
		t.Errorf("ports %d and %d made of padding", r.SrcPort, r.DstPort)
	}
}

// The record is reused from sample to sample: what one said must not be left over.
func TestNothingIsLeftOverFromTheSampleBefore(t *testing.T) {
	full := sampleOf(rawHeader(1, 1500, tcpFrame), gateway(1, 2, 1, 64501), ipv4Record, ethernet,
		framed(1001, words(100, 5, 200, 0)), framed(1002, words(1, 0xc6336402, 24, 16)), mpls, nat, natPort, vni)
	alone := decodeOne(t, datagramOf(sampleOf()))
	both, err := decode(t, datagramOf(full, sampleOf()))
	if err != nil || len(both) != 2 {
		t.Fatalf("%d records, error %v, want 2 records", len(both), err)
	}
	if diff := cmp.Diff(alone, both[1], compareAddrs); diff != "" {
		t.Errorf("left over (-want +got):\n%s", diff)
	}
}
