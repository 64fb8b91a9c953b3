package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"
)

// Addresses of exporters. softflowd cannot be told another than that of the host, so
// that its templates replace each other; pmacctd can, in NetFlow by that of its socket.
const (
	host  = "127.0.0.1"
	nine  = "127.0.0.9"
	ten   = "127.0.0.10"
	agent = "192.0.2.77"
)

func toSFlow(i *instance) string         { return i.SFlow }
func toNetFlow(i *instance) string       { return i.NetFlow }
func toNetFlowLegacy(i *instance) string { return i.NetFlowLegacy }

// realExporter is a program that others have written, and how it sees traffic.
type realExporter struct {
	name       string
	flowType   string
	to         func(*instance) string
	export     exportFunc
	address    string
	rateSource string
	bytes      func(*conversation, sent) int // what it counts of a packet
	ipv4Only   bool                          // the protocol has no IPv6
}

// realExporters has every protocol that the programs speak. softflowd says in options data that it takes every packet, and gives times
// relative to its start unless it is told otherwise. NetFlow of pmacctd says nothing
// about sampling, and has the type and code of ICMP in the destination port.
var realExporters = []realExporter{
	{"softflowd NetFlow v5", "NETFLOW_V5", toNetFlowLegacy, softflowd("-v", "5"), host, "unknown", behindEthernet, true},
	{"softflowd NetFlow v9", "NETFLOW_V9", toNetFlow, softflowd("-v", "9"), host, "options", behindEthernet, false},
	{"softflowd IPFIX", "IPFIX", toNetFlow, softflowd("-v", "10"), host, "options", behindEthernet, false},
	{"softflowd IPFIX with milliseconds", "IPFIX", toNetFlow, softflowd("-v", "10", "-A", "milli"), host, "options", behindEthernet, false},
	{"softflowd IPFIX with NTP times", "IPFIX", toNetFlow, softflowd("-v", "10", "-A", "micro"), host, "options", behindEthernet, false},
	{"pmacctd NetFlow v9", "NETFLOW_V9", toNetFlow, nfprobe("9", nine), nine, "unknown", (*conversation).ipBytes, false},
	{"pmacctd IPFIX", "IPFIX", toNetFlow, nfprobe("10", ten), ten, "unknown", (*conversation).ipBytes, false},
	{"pmacctd sFlow", sFlow, toSFlow, pmacctd("sfprobe", "sfprobe_agentip: "+agent), agent, "packet", wholeFrame, false},
}

const sFlow = "SFLOW_5"

// behindEthernet: softflowd counts the padding of short frames too.
func behindEthernet(c *conversation, p sent) int { return c.frameBytes(p) - ethernetHeader }

// wholeFrame: sFlow counts frames with their check sequence, which pmacctd makes up.
func wholeFrame(c *conversation, p sent) int {
	const checkSequence = 4
	return c.frameBytes(p) + checkSequence
}

func TestExportersAreStoredAsTheySawTheTraffic(t *testing.T) {
	i := start(t, t.TempDir())
	t.Run("exporter", func(t *testing.T) {
		for n, e := range realExporters {
			site := byte(n + 1)
			t.Run(e.name, func(t *testing.T) {
				if e.address != host {
					t.Parallel()
				}
				conversations, began := traffic(site), time.Now().Add(-2*time.Minute).Truncate(time.Second)
				pcap := record(t, conversations, began)
				compareWithTshark(t, pcap, conversations)
				sent := time.Now()
				e.export(t, pcap, e.to(i))

				want, packets := e.sees(conversations, began)
				got := i.seenOf(t, e.flowType, site, packets)
				if e.flowType == sFlow {
					receivedBetween(t, got, sent, time.Now())
				}
				if diff := cmp.Diff(want, got, withinASecond); diff != "" {
					t.Errorf("flows_raw differs from the traffic (-traffic +flows_raw):\n%s", diff)
				}
			})
		}
	})
	for _, counter := range []string{"netmeta_decode_errors_total", "netmeta_listen_kernel_drops_total"} {
		if n := i.metric(t, counter, ""); n != 0 {
			t.Errorf("%s counts %v", counter, n)
		}
	}
}

// sees is what flows_raw has to say about traffic that began then, by conversation,
// and how many packets that is.
func (e *realExporter) sees(conversations []conversation, began time.Time) (flows map[string]seen, packets int) {
	flows = make(map[string]seen)
	for _, c := range conversations {
		if e.ipv4Only && c.src.Addr().Is6() {
			continue
		}
		s := c.seen(began, e.bytes)
		s.Sampler, s.RateSource = e.address, e.rateSource
		if e.flowType == sFlow {
			s.asSamples()
		}
		flows[c.String()] = s
		packets += s.Packets
	}
	return flows, packets
}

// second is a time in seconds since 1970.
type second uint64

// withinASecond takes neighbouring seconds for the same: some exporters give times
// relative to a clock of theirs that they tell in whole seconds.
var withinASecond = cmp.Comparer(func(a, b second) bool { return a-b+1 <= 2 })

// seen is what flows_raw says about one conversation.
type seen struct {
	Src, Dst           string
	Proto              int
	SrcPort, DstPort   int
	Records            int
	Packets, Bytes     int
	IPTos, TCPFlags    uint8
	IcmpType, IcmpCode uint8
	Start, End         second // 0 in sFlow, which has no times
	Interface          int    // the highest number of one; neither program names any
	Sampler            string // the exporter's address
	Rate               int
	RateSource         string
}

// seen is what flows_raw has to say about a conversation of traffic that began then,
// of which an exporter of NetFlow makes one record.
func (c *conversation) seen(began time.Time, bytes func(*conversation, sent) int) seen {
	s := seen{
		Src: c.src.Addr().String(), Dst: c.dst.Addr().String(), Proto: int(c.proto),
		SrcPort: int(c.src.Port()), DstPort: int(c.dst.Port()),
		Records: 1, Packets: len(c.packets), IPTos: c.tos, IcmpType: c.icmp[0], IcmpCode: c.icmp[1],
		Start: second(began.Add(c.packets[0].at).Unix()),
		End:   second(began.Add(c.packets[len(c.packets)-1].at).Unix()),
		Rate:  1,
	}
	for _, p := range c.packets {
		s.Bytes += bytes(c, p)
		if c.proto == layers.IPProtocolTCP {
			s.TCPFlags |= p.flags
		}
	}
	return s
}

// asSamples: sFlow makes a record of each packet, without times.
func (s *seen) asSamples() {
	s.Records, s.Start, s.End = s.Packets, 0, 0
}

const seenQuery = `
	SELECT replaceOne(toString(SrcAddr), '::ffff:', '') AS Src, replaceOne(toString(DstAddr), '::ffff:', '') AS Dst,
		Proto, SrcPort, DstPort,
		toUInt32(count()) AS Records, toUInt32(sum(flows_raw.Packets)) AS Packets, toUInt32(sum(flows_raw.Bytes)) AS Bytes,
		groupBitOr(flows_raw.IPTos) AS IPTos, groupBitOr(flows_raw.TCPFlags) AS TCPFlags,
		groupBitOr(flows_raw.IcmpType) AS IcmpType, groupBitOr(flows_raw.IcmpCode) AS IcmpCode,
		toUInt32(min(TimeFlowStart)) AS Start, toUInt32(max(TimeFlowEnd)) AS End,
		max(greatest(InIf, OutIf)) AS Interface, replaceOne(toString(any(SamplerAddress)), '::ffff:', '') AS Sampler,
		toUInt32(any(SamplingRate)) AS Rate, any(SamplingRateSource) AS RateSource
	FROM flows_raw
	WHERE FlowType = '%s' AND (startsWith(Src, '198.18.%d.') OR startsWith(Src, '2001:db8:%x00::'))
	GROUP BY SrcAddr, DstAddr, Proto, SrcPort, DstPort
	FORMAT JSONEachRow`

// seenOf returns what is stored of the traffic of a site, by conversation, once
// it is so many packets.
func (i *instance) seenOf(t *testing.T, flowType string, site byte, packets int) map[string]seen {
	t.Helper()
	var found map[string]seen
	eventually(t, "all packets are in flows_raw", func() error {
		answer, err := i.ask(fmt.Sprintf(seenQuery, flowType, site, site))
		if err != nil {
			return err
		}
		found = make(map[string]seen)
		stored := 0
		for rows := json.NewDecoder(strings.NewReader(answer)); rows.More(); {
			var s seen
			if err := rows.Decode(&s); err != nil {
				return fmt.Errorf("%w: %s", err, answer)
			}
			found[conversationKey(s.Src, s.Dst, s.Proto, s.SrcPort, s.DstPort)] = s
			stored += s.Packets
		}
		if stored < packets {
			return fmt.Errorf("%d of %d:\n%s", stored, packets, answer)
		}
		return nil
	})
	return found
}

// receivedBetween makes sure that the times of flows are those of their reception,
// and sets them to 0.
func receivedBetween(t *testing.T, flows map[string]seen, from, to time.Time) {
	t.Helper()
	for key, s := range flows {
		if s.Start < second(from.Unix()) || s.End > second(to.Unix()) {
			t.Errorf("%s: times %d to %d are not between %d and %d, when it was received", key, s.Start, s.End, from.Unix(), to.Unix())
		}
		s.Start, s.End = 0, 0
		flows[key] = s
	}
}
