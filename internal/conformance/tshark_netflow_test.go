package conformance

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/internal/replay"
)

// seen is what both sides say about a NetFlow or IPFIX record.
type seen struct {
	Src, Dst, NextHop       string
	SrcPort, DstPort, Proto uint64
	Bytes, Packets          uint64
	InIf, OutIf             uint64
	SrcAS, DstAS            uint64
	TCPFlags, ToS           uint64
	Start, End              int64
	facts
}

// facts are what fewer exporters say.
type facts struct {
	SrcNet, DstNet                 uint64
	SrcMac, DstMac                 uint64
	SrcVlan, DstVlan               uint64
	Direction                      uint64
	IngressVRF, EgressVRF          uint64
	EndReason, FirewallEvent       uint64
	BGPNextHop                     string
	PostNATSrc, PostNATDst         string
	PostNATSrcPort, PostNATDstPort uint64
}

func readFacts(t *testing.T, v values) facts {
	return facts{
		SrcNet: v.number(t, "cflow.srcmask"), DstNet: v.number(t, "cflow.dstmask"),
		SrcMac:  macNumber(t, v.known("cflow.srcmac", "cflow.post_srcmac")),
		DstMac:  macNumber(t, v.known("cflow.dstmac", "cflow.post_dstmac")),
		SrcVlan: v.number(t, "cflow.vlanid", "cflow.dot1q_vlan_id"), DstVlan: v.number(t, "cflow.post_vlanid", "cflow.post_dot1q_vlan_id"),
		Direction:  v.number(t, "cflow.direction"),
		IngressVRF: v.number(t, "cflow.ingress_vrfid"), EgressVRF: v.number(t, "cflow.egress_vrfid"),
		EndReason: v.number(t, "cflow.flow_end_reason"), FirewallEvent: v.number(t, "cflow.firewall_event"),
		BGPNextHop: v.text("cflow.bgpnexthop", "cflow.bgpnexthopv6"),
		PostNATSrc: v.text("cflow.post_natsource_ipv4_address"), PostNATDst: v.text("cflow.post_natdestination_ipv4_address"),
		PostNATSrcPort: v.number(t, "cflow.post_naptsource_transport_port"), PostNATDstPort: v.number(t, "cflow.post_naptdestination_transport_port"),
	}
}

// answer returns the facts of the other direction of a biflow.
func (f facts) answer() facts {
	return facts{
		SrcNet: f.DstNet, DstNet: f.SrcNet, SrcMac: f.DstMac, DstMac: f.SrcMac, SrcVlan: f.DstVlan, DstVlan: f.SrcVlan,
		Direction: f.Direction, IngressVRF: f.EgressVRF, EgressVRF: f.IngressVRF, EndReason: f.EndReason, FirewallEvent: f.FirewallEvent,
	}
}

func ourFacts(r *flow.Record) facts {
	return facts{
		SrcNet: uint64(r.SrcNet), DstNet: uint64(r.DstNet), SrcMac: r.SrcMac, DstMac: r.DstMac,
		SrcVlan: uint64(r.SrcVlan), DstVlan: uint64(r.DstVlan), Direction: uint64(r.FlowDirection),
		IngressVRF: uint64(r.IngressVrfID), EgressVRF: uint64(r.EgressVrfID),
		EndReason: uint64(r.FlowEndReason), FirewallEvent: uint64(r.FirewallEvent), BGPNextHop: addressText(r.BGPNextHop),
		PostNATSrc: addressText(r.PostNATSrcAddr), PostNATDst: addressText(r.PostNATDstAddr),
		PostNATSrcPort: uint64(r.PostNATSrcPort), PostNATDstPort: uint64(r.PostNATDstPort),
	}
}

// cflow reads tshark's dissection of NetFlow and IPFIX, of one exporter.
type cflow struct {
	options map[string]bool // templates of options data, by domain and id
	boot    int64           // milliseconds since 1970, as options data say; 0: unknown
}

// flows returns the flow records of packet p, in the order of the datagram.
func (c *cflow) flows(t *testing.T, p *node, d datagram) (flows []seen) {
	t.Helper()
	message := p.proto("cflow")
	if message == nil {
		return nil
	}
	header, _ := message.values()
	domain := header.text("cflow.od_id", "cflow.source_id")
	key := ""
	message.each(func(n *node) {
		if m := aTemplate.FindStringSubmatch(n.Show); m != nil {
			c.options[domain+" "+m[1]] = false
		} else if m := anOptionTemplate.FindStringSubmatch(n.Show); m != nil {
			c.options[domain+" "+m[1]] = true
		} else if m := aSet.FindStringSubmatch(n.Show); m != nil {
			key = domain + " " + m[1]
		}
		if !aRecord.MatchString(n.Show) || n.Name != "" {
			return
		}
		v, reverse := n.values()
		if boot, ok := v.milliseconds(t, "cflow.sys_init_time"); ok {
			c.boot = boot
		}
		if c.options[key] {
			return
		}
		forward := c.flow(t, v, d)
		flows = append(flows, forward)
		if back := c.flow(t, reverse, d); back.Bytes > 0 || back.Packets > 0 {
			flows = append(flows, forward.answer(back))
		}
	})
	return flows
}

// flow reads a record. Where the exporter says something twice, the choice is that of
// the decoder: the first of these fields that is not 0.
func (c *cflow) flow(t *testing.T, v values, d datagram) seen {
	s := seen{
		Src: v.text("cflow.srcaddr", "cflow.srcaddrv6"), Dst: v.text("cflow.dstaddr", "cflow.dstaddrv6"),
		NextHop: v.text("cflow.nexthop", "cflow.nexthopv6", "cflow.bgpnexthop", "cflow.bgpnexthopv6"),
		SrcPort: v.number(t, "cflow.srcport", "cflow.udp_srcport", "cflow.tcp_srcport"),
		DstPort: v.number(t, "cflow.dstport", "cflow.udp_dstport", "cflow.tcp_dstport"),
		Proto:   v.number(t, "cflow.protocol"),
		Bytes:   v.number(t, "cflow.octets", "cflow.post_octets", "cflow.permanent_octets"),
		Packets: v.number(t, "cflow.packets", "cflow.post_packets", "cflow.permanent_packets"),
		InIf:    v.number(t, "cflow.inputint", "cflow.ingress_physical_interface"),
		OutIf:   v.number(t, "cflow.outputint", "cflow.egress_physical_interface"),
		SrcAS:   v.number(t, "cflow.srcas"), DstAS: v.number(t, "cflow.dstas"),
		TCPFlags: v.number(t, "cflow.tcpflags", "cflow.tcpflags16"), ToS: v.number(t, "cflow.tos"),
	}
	if s.Bytes == 0 {
		s.Bytes = v.number(t, "cflow.initiator_octets") + v.number(t, "cflow.responder_octets")
	}
	if s.Src == unspecified4 && s.Dst == unspecified4 && v["cflow.srcaddrv6"] != "" {
		s.Src, s.Dst = v["cflow.srcaddrv6"], v["cflow.dstaddrv6"]
	}
	// Exporters put the type of ICMP, or anything, into the ports of other protocols.
	if s.Proto != 0 && !packet.HasPorts(uint32(s.Proto)) {
		s.SrcPort, s.DstPort = 0, 0
	}
	s.Start, s.End = c.times(t, v, d)
	s.facts = readFacts(t, v)
	return s
}

// unspecified4 is what templates for both families hold for the other one.
const unspecified4 = "0.0.0.0"

// answer returns the flow in the other direction of s, of which only what is counted
// there is said.
func (s seen) answer(counted seen) seen {
	return seen{
		Src: s.Dst, Dst: s.Src, SrcPort: s.DstPort, DstPort: s.SrcPort, Proto: s.Proto,
		InIf: s.OutIf, OutIf: s.InIf, SrcAS: s.DstAS, DstAS: s.SrcAS, Start: s.Start, End: s.End,
		Bytes: counted.Bytes, Packets: counted.Packets, TCPFlags: counted.TCPFlags, ToS: counted.ToS,
		facts: s.facts.answer(),
	}
}

// times returns start and end in seconds since 1970, as documented for the record:
// what the exporter does not say, or says wrongly, is taken from the other of the two,
// or from when the datagram was received.
func (c *cflow) times(t *testing.T, v values, d datagram) (start, end int64) {
	received := exported(d.Payload).Unix()
	believe := func(ms int64) int64 {
		const day = 24 * 60 * 60
		if at := ms / 1000; at >= received-7*day && at <= received+60*60 {
			return at
		}
		return 0
	}
	ended := c.time(t, v, d, "end")
	if ended == 0 {
		ended, _ = v.milliseconds(t, "cflow.observation_time_milliseconds") // of firewalls' events
	}
	start, end = believe(c.time(t, v, d, "start")), believe(ended)
	if end == 0 {
		end = received
		if start == 0 {
			start = end
		}
	}
	if start == 0 || start > end {
		start = end
	}
	return start, end
}

// time returns the start or end in milliseconds since 1970, 0 if it is unknown.
func (c *cflow) time(t *testing.T, v values, d datagram, which string) int64 {
	// tshark shows an uptime of 0 as if it were an absolute time.
	uptime, ok := v.milliseconds(t, "cflow.abstime"+which)
	if uptime != 0 {
		return uptime
	}
	if !ok {
		if uptime, ok = v.milliseconds(t, "cflow.time"+which); !ok {
			return 0
		}
	}
	if d.Protocol == replay.IPFIX {
		if c.boot == 0 {
			return 0
		}
		return c.boot + uptime
	}
	written := exported(d.Payload).UnixMilli()
	if d.Protocol == replay.NetFlow5 {
		written += int64(binary.BigEndian.Uint32(d.Payload[12:])) / 1e6
	}
	return written - int64(int32(binary.BigEndian.Uint32(d.Payload[4:])-uint32(uptime)))
}

// ours is seen of a decoded record.
func ours(r *flow.Record) seen {
	return seen{
		Src: addressText(r.SrcAddr), Dst: addressText(r.DstAddr), NextHop: addressText(r.NextHop),
		SrcPort: uint64(r.SrcPort), DstPort: uint64(r.DstPort), Proto: uint64(r.Proto),
		Bytes: r.Bytes, Packets: r.Packets, InIf: uint64(r.InIf), OutIf: uint64(r.OutIf),
		SrcAS: uint64(r.SrcAS), DstAS: uint64(r.DstAS), TCPFlags: uint64(r.TCPFlags), ToS: uint64(r.IPTos),
		Start: int64(r.TimeFlowStart), End: int64(r.TimeFlowEnd),
		facts: ourFacts(r),
	}
}

// addressText is "" for no address.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// netflowDiffers are the captures of which tshark reads less.
var netflowDiffers = map[string]difference{
	"netflow-v9-1.dat":                   {0, 2, "the records stand in front of their template in the same datagram"},
	"netflow9.pcap":                      {0, 3, "the records stand in front of their template, or waited for it"},
	"nprobe-netflow9-4.pcap":             {0, 14, "the records waited for their template"},
	"netflow9_test_h3c_data3281.dat":     {0, 15, "tshark gives up at a next hop of a wrong length, which is not used"},
	"netflow9_test_invalid01.dat":        {0, 2, "the header counts 2 records of 5; sets are read as far as they go"},
	"decoder_test.init.multiMessage.bin": {0, 2, "tshark takes the padding behind an options template for a template, and gives up"},
	"ipfix_test_procera_data52935.dat":   {8, 8, "tshark does not know the fields in which Procera counts octets"},
}

// readFlows returns what tshark and we see in a capture, each record with the number of
// its datagram in front.
func readFlows(t *testing.T, c dissected) (theirs, our []string) {
	t.Helper()
	reader := &cflow{options: map[string]bool{}}
	for i, d := range c.all() {
		flows := reader.flows(t, &c.packets[i], d)
		if i < len(c.preface) {
			continue
		}
		for _, s := range flows {
			theirs = append(theirs, fmt.Sprintf("%d %+v", i, s))
		}
		if d.Protocol == replay.SFlow {
			continue
		}
		for j := range d.flows {
			our = append(our, fmt.Sprintf("%d %+v", i, ours(&d.flows[j])))
		}
	}
	return theirs, our
}
