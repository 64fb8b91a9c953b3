package conformance

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/replay"
)

// sample is what both sides say about an sFlow flow sample.
type sample struct {
	Sequence         uint64 // of the datagram
	Agent            string
	Rate, Bytes      uint64
	InIf, OutIf      uint64
	SrcMac, DstMac   uint64
	SrcVlan, DstVlan uint64
	Src, Dst         string
	Proto, TTL       uint64
	SrcPort, DstPort uint64
	TCPFlags         uint64
	NextHop          string
	SrcAS, DstAS     uint64
}

var (
	aFlowSample      = regexp.MustCompile(`^(Flow|Expanded flow) sample, seq \d+`)
	anInterfaceBlock = regexp.MustCompile(`^Generic interface counters`)
	aRouterRecord    = regexp.MustCompile(`^Extended router data`)
	aPathSegment     = "sflow.as_type"
	anAS             = "sflow_245.dstAS"
)

// sflowSamples returns the flow samples of packet p, in the order of the datagram.
func sflowSamples(t *testing.T, p *node) (samples []sample) {
	t.Helper()
	datagram := p.proto("sflow")
	if datagram == nil {
		return nil
	}
	header, _ := datagram.values()
	for i := range datagram.Fields {
		if n := &datagram.Fields[i]; aFlowSample.MatchString(n.Show) {
			s := readSample(t, n)
			s.Sequence = header.number(t, "sflow_245.sequence_number")
			s.Agent = header.text("sflow_245.agent", "sflow_245.agent.v6")
			samples = append(samples, s)
		}
	}
	return samples
}

func readSample(t *testing.T, n *node) sample {
	t.Helper()
	v, _ := n.values()
	s := sample{
		Rate:    v.number(t, "sflow.flow_sample.sampling_rate"),
		InIf:    interfaceOf(v.number(t, "sflow.flow_sample.input_interface_value", "sflow.flow_sample.input_interface"), v.number(t, "sflow.flow_sample.input_interface_format")),
		OutIf:   interfaceOf(v.number(t, "sflow.flow_sample.output_interface_value"), v.number(t, "sflow.flow_sample.output_interface_format")),
		Bytes:   v.number(t, "sflow_245.header.frame_length", "sflow_245.ethernet.length"),
		SrcMac:  macNumber(t, v.text("eth.src", "sflow_245.ethernet.source_mac_address")),
		DstMac:  macNumber(t, v.text("eth.dst", "sflow_245.ethernet.destination_mac_address")),
		SrcVlan: v.number(t, "sflow_245.vlan.in"), DstVlan: v.number(t, "sflow_245.vlan.out"),
		Src: v.text("ip.src", "ipv6.src"), Dst: v.text("ip.dst", "ipv6.dst"),
		Proto: v.number(t, "ip.proto", "ipv6.nxt"), TTL: v.number(t, "ip.ttl", "ipv6.hlim"),
		SrcPort: v.number(t, "tcp.srcport", "udp.srcport"), DstPort: v.number(t, "tcp.dstport", "udp.dstport"),
		TCPFlags: v.number(t, "tcp.flags"),
		SrcAS:    v.number(t, "sflow_245.srcAS"),
	}
	n.each(func(record *node) {
		switch {
		case aRouterRecord.MatchString(record.Show):
			router, _ := record.values()
			s.NextHop = router.text("sflow_245.nexthop", "sflow_245.nexthop.v6")
		case record.Name == aPathSegment && len(record.Fields) > 0:
			last, _ := record.Fields[len(record.Fields)-1].values()
			s.DstAS = last.number(t, anAS)
		}
	})
	if extension := v.number(t, "ipv6.hopopts.nxt"); extension != 0 {
		s.Proto = extension
	}
	return s
}

// interfaceOf returns the number of an interface, 0 for several, for none, and for the
// agent itself.
func interfaceOf(value, format uint64) uint64 {
	const itself = 0x3fffffff
	if format != 0 || value == itself {
		return 0
	}
	return value
}

func macNumber(t *testing.T, text string) uint64 {
	t.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(text, ":", ""), 16, 64)
	if err != nil {
		t.Fatalf("MAC address of tshark: %v", err)
	}
	return n
}

// ourSample is sample of a decoded record.
func ourSample(r *flow.Record) sample {
	return sample{
		Sequence: uint64(r.SequenceNum), Agent: addressText(r.SamplerAddress), Rate: r.SamplingRate, Bytes: r.Bytes,
		InIf: uint64(r.InIf), OutIf: uint64(r.OutIf), SrcMac: r.SrcMac, DstMac: r.DstMac,
		SrcVlan: uint64(r.SrcVlan), DstVlan: uint64(r.DstVlan), Src: addressText(r.SrcAddr), Dst: addressText(r.DstAddr),
		Proto: uint64(r.Proto), TTL: uint64(r.IPTTL), SrcPort: uint64(r.SrcPort), DstPort: uint64(r.DstPort),
		TCPFlags: uint64(r.TCPFlags), NextHop: addressText(r.NextHop), SrcAS: uint64(r.SrcAS), DstAS: uint64(r.DstAS),
	}
}

// sflowDiffers are the captures of which tshark believes more.
var sflowDiffers = map[string]difference{
	"SFlowTestPacket5.bin": {1, 1, "a router record is cut off behind its next hop, and left out"},
	"SFlowTestPacket8.bin": {1, 1, "a router record is cut off behind its next hop, and left out"},
}

// readSamples is readFlows for sFlow.
func readSamples(t *testing.T, c dissected) (theirs, ours []string) {
	t.Helper()
	for i, d := range c.all() {
		if d.Protocol != replay.SFlow {
			continue
		}
		for _, s := range sflowSamples(t, &c.packets[i]) {
			theirs = append(theirs, fmt.Sprintf("%d %+v", i, s))
		}
		for j := range d.flows {
			ours = append(ours, fmt.Sprintf("%d %+v", i, ourSample(&d.flows[j])))
		}
	}
	return theirs, ours
}

// sflowCounters returns the generic interface counters in packet p, in the order of the
// datagram.
func sflowCounters(t *testing.T, p *node) (list []flow.Counters) {
	t.Helper()
	datagram := p.proto("sflow")
	if datagram == nil {
		return nil
	}
	header, _ := datagram.values()
	datagram.each(func(n *node) {
		if !anInterfaceBlock.MatchString(n.Show) {
			return
		}
		agent, err := netip.ParseAddr(header.text("sflow_245.agent", "sflow_245.agent.v6"))
		if err != nil {
			t.Fatalf("agent of tshark: %v", err)
		}
		v, _ := n.values()
		word := func(name string) uint32 { return uint32(v.number(t, name)) }
		list = append(list, flow.Counters{
			SamplerAddress: agent, ObservationDomain: uint32(header.number(t, "sflow_245.sub_agent_id")),
			SequenceNum: uint32(header.number(t, "sflow_245.sequence_number")), Uptime: uint32(header.number(t, "sflow_245.sysuptime")),
			Interface: word("sflow_245.ifindex"), Type: word("sflow_245.iftype"), Speed: v.number(t, "sflow_245.ifspeed"),
			Duplex: word("sflow_245.ifdirection"), Status: word("sflow_245.ifadmin_status") | word("sflow_245.ifoper_status")<<1,
			InOctets: v.number(t, "sflow_245.ifinoct"), InUnicastPackets: word("sflow_245.ifinpkt"),
			InMulticastPackets: word("sflow_245.ifinmcast"), InBroadcastPackets: word("sflow_245.ifinbcast"),
			InDiscards: word("sflow_245.ifindisc"), InErrors: word("sflow_245.ifinerr"), InUnknownProtocols: word("sflow_245.ifinunk"),
			OutOctets: v.number(t, "sflow_245.ifoutoct"), OutUnicastPackets: word("sflow_245.ifoutpkt"),
			OutMulticastPackets: word("sflow_245.ifoutmcast"), OutBroadcastPackets: word("sflow_245.ifoutbcast"),
			OutDiscards: word("sflow_245.ifoutdisc"), OutErrors: word("sflow_245.ifouterr"), PromiscuousMode: word("sflow_245.ifpromisc"),
		})
	})
	return list
}

// known clears what the other programs do not tell: when the counters were received,
// and the interface's name.
func known(c flow.Counters) flow.Counters {
	c.TimeReceived, c.Name = 0, ""
	return c
}

// counterDiffers are the captures of which tshark reads less.
var counterDiffers = map[string]difference{
	"sflow_v5.bin":          {0, 1, "tshark takes the name in a port name record for the next record"},
	"SFlowTestPacket9.bin":  {0, 1, "tshark takes the body of an OpenFlow record for the next record"},
	"SFlowTestPacket12.bin": {0, 1, "tshark takes the body of an OpenFlow record for the next record"},
}

// readCounters is readFlows for interface counters.
func readCounters(t *testing.T, c dissected) (theirs, ours []string) {
	t.Helper()
	for i, d := range c.all() {
		for _, block := range sflowCounters(t, &c.packets[i]) {
			theirs = append(theirs, fmt.Sprintf("%d %+v", i, block))
		}
		for _, block := range d.counters {
			if block.Uptime == 0 && block.InOctets == math.MaxUint64 {
				continue // it only names an interface, as options data of NetFlow do
			}
			ours = append(ours, fmt.Sprintf("%d %+v", i, known(block)))
		}
	}
	return theirs, ours
}
