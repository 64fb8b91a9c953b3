package conformance

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
)

// flowFields say of each field of Telegraf's that we keep what Telegraf would write for
// a record of ours. It keeps milliseconds, which records do not have: such a time is
// Telegraf's own if both are in the same second.
var flowFields = map[string]func(r *flow.Record, d *datagram, l line) string{
	"src":              func(r *flow.Record, _ *datagram, _ line) string { return addressText(r.SrcAddr) },
	"dst":              func(r *flow.Record, _ *datagram, _ line) string { return addressText(r.DstAddr) },
	"next_hop":         func(r *flow.Record, _ *datagram, _ line) string { return addressText(r.NextHop) },
	"agent_ip":         func(r *flow.Record, _ *datagram, _ line) string { return addressText(r.SamplerAddress) },
	"src_port":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.SrcPort) },
	"dst_port":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.DstPort) },
	"protocol":         func(r *flow.Record, _ *datagram, l line) string { return protocolText(r, l) },
	"in_bytes":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.Bytes) },
	"in_total_bytes":   func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.Bytes) },
	"l2_bytes":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.Bytes) },
	"in_packets":       func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.Packets) },
	"in_total_packets": func(r *flow.Record, d *datagram, l line) string { return packetsText(r, l) },
	"in_snmp":          func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.InIf) },
	"out_snmp":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.OutIf) },
	"src_tos":          func(r *flow.Record, _ *datagram, l line) string { return likeIn(l, "src_tos", r.IPTos) },
	"ttl":              func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.IPTTL) },
	"ipv4_id":          func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.FragmentID) },
	"fragment_offset":  func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.FragmentOffset) },
	"tcp_flags":        func(r *flow.Record, _ *datagram, _ line) string { return tcpFlagsText(r.TCPFlags) },
	"src_mask":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.SrcNet) },
	"dst_mask":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.DstNet) },
	"bgp_src_as":       func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.SrcAS) },
	"bgp_dst_as":       func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.DstAS) },
	"icmp_type":        func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.IcmpType) },
	"icmp_code":        func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.IcmpCode) },
	"vlan_src":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.SrcVlan) },
	"vlan_dst":         func(r *flow.Record, _ *datagram, _ line) string { return decimal(r.DstVlan) },
	"in_src_mac":       func(r *flow.Record, _ *datagram, _ line) string { return macText(r.SrcMac) },
	"out_dst_mac":      func(r *flow.Record, _ *datagram, _ line) string { return macText(r.DstMac) },
	"direction": func(r *flow.Record, _ *datagram, _ line) string {
		return []string{"ingress", "egress"}[r.FlowDirection]
	},
	"ip_version": func(r *flow.Record, _ *datagram, _ line) string { return etypeText(r.Etype) },

	"datalink_frame_type": func(r *flow.Record, _ *datagram, _ line) string { return etypeText(r.Etype) },
	"flow_end_reason": func(r *flow.Record, _ *datagram, _ line) string {
		return []string{"", "idle timeout", "active timeout", "end of flow", "forced end", "lack of resources"}[r.FlowEndReason]
	},
	"sampling_interval": func(r *flow.Record, _ *datagram, l line) string {
		// 0 is what Telegraf has of an exporter that does not say it.
		return cmp.Or(map[bool]string{true: "0"}[l.fields["sampling_interval"] == "0" && r.SamplingRate == 1], decimal(r.SamplingRate))
	},

	"flow_start_ms": func(r *flow.Record, _ *datagram, l line) string {
		return sameSecond(l.fields["flow_start_ms"], r.TimeFlowStart)
	},
	"flow_end_ms": func(r *flow.Record, _ *datagram, l line) string {
		return sameSecond(l.fields["flow_end_ms"], r.TimeFlowEnd)
	},
	"flow_start": func(r *flow.Record, d *datagram, l line) string {
		return knownSecond(l.fields["flow_start"], r.TimeFlowStart, d)
	},
	"flow_end": func(r *flow.Record, d *datagram, l line) string {
		return knownSecond(l.fields["flow_end"], r.TimeFlowEnd, d)
	},
	"first_switched": func(r *flow.Record, d *datagram, l line) string {
		return uptimeText(l, "first_switched", r.TimeFlowStart, d)
	},
	"last_switched": func(r *flow.Record, d *datagram, l line) string {
		return uptimeText(l, "last_switched", r.TimeFlowEnd, d)
	},
}

// counterFields are flowFields of a block of interface counters.
var counterFields = map[string]func(c *flow.Counters) string{
	"agent_ip":                    func(c *flow.Counters) string { return addressText(c.SamplerAddress) },
	"agent_subid":                 func(c *flow.Counters) string { return decimal(c.ObservationDomain) },
	"sys_uptime":                  func(c *flow.Counters) string { return decimal(c.Uptime) },
	"in_snmp":                     func(c *flow.Counters) string { return decimal(c.Interface) },
	"interface":                   func(c *flow.Counters) string { return decimal(c.Interface) },
	"interface_type":              func(c *flow.Counters) string { return decimal(c.Type) },
	"port_name":                   func(c *flow.Counters) string { return c.Name },
	"speed":                       func(c *flow.Counters) string { return decimal(c.Speed) },
	"status":                      func(c *flow.Counters) string { return []string{"down", "down", "down", "up"}[c.Status&3] },
	"in_bytes":                    func(c *flow.Counters) string { return decimal(c.InOctets) },
	"in_unicast_packets_total":    func(c *flow.Counters) string { return decimal(c.InUnicastPackets) },
	"in_mcast_packets_total":      func(c *flow.Counters) string { return decimal(c.InMulticastPackets) },
	"in_broadcast_packets_total":  func(c *flow.Counters) string { return decimal(c.InBroadcastPackets) },
	"in_dropped_packets":          func(c *flow.Counters) string { return decimal(c.InDiscards) },
	"in_errors":                   func(c *flow.Counters) string { return decimal(c.InErrors) },
	"in_unknown_protocol":         func(c *flow.Counters) string { return decimal(c.InUnknownProtocols) },
	"out_bytes":                   func(c *flow.Counters) string { return decimal(c.OutOctets) },
	"out_unicast_packets_total":   func(c *flow.Counters) string { return decimal(c.OutUnicastPackets) },
	"out_mcast_packets_total":     func(c *flow.Counters) string { return decimal(c.OutMulticastPackets) },
	"out_broadcast_packets_total": func(c *flow.Counters) string { return decimal(c.OutBroadcastPackets) },
	"out_dropped_packets":         func(c *flow.Counters) string { return decimal(c.OutDiscards) },
	"out_errors":                  func(c *flow.Counters) string { return decimal(c.OutErrors) },
	"promiscuous":                 func(c *flow.Counters) string { return decimal(c.PromiscuousMode) },
}

// ignoredFields are those that are not compared, and why.
var ignoredFields = []*regexp.Regexp{
	regexp.MustCompile(`^type_29305_`),        // the other direction, see answer
	regexp.MustCompile(`^type_(6871|35632)_`), // of enterprises CERT and ntop, which we skip
	regexp.MustCompile(`^(app_latency_ms|client_nw_latency_ms|server_nw_latency_ms|l7_proto|ja3[cs]_hash|ssl_\w+|retransmitted_\w+)$`),  // of ntop
	regexp.MustCompile(`^(collision\w*|deferred|errors_\w+)$`),                                                                          // Ethernet counters, which are not kept
	regexp.MustCompile(`^(source|version|type|engine_type|engine_id|flows|padding)$`),                                                   // of the exporter or the datagram as a whole
	regexp.MustCompile(`^(sys_uptime|seq_number|agent_subid|ip_version)$`),                                                              // likewise, of counters of the agent; of sFlow the sequence number is the sample's
	regexp.MustCompile(`^(fwd_status|fwd_reason|dst_tos|l2_protocol)$`),                                                                 // "unknown", or of fields that records do not have
	regexp.MustCompile(`^(ip_total_len|ipv[46]_total_len|ipv4_inet_header_len|fragment_flags|sampling_drops|vlan_(src|dst)_priority)$`), // of the sampled packet, not kept
}

func protocolText(r *flow.Record, l line) string {
	// Telegraf has the first header behind that of IPv6, we have the protocol behind all
	// extensions.
	if l.fields["protocol"] == "hopopt" && r.Proto == 58 {
		return "hopopt"
	}
	return map[uint32]string{1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}[r.Proto]
}

// packetsText: of a sampled packet the field is the sample pool instead.
func packetsText(r *flow.Record, l line) string {
	if l.fields["l2_bytes"] != "" {
		return l.fields["in_total_packets"]
	}
	return decimal(r.Packets)
}

// likeIn writes a number in decimal or hexadecimal as the line has it.
func likeIn(l line, field string, n uint32) string {
	if strings.HasPrefix(l.fields[field], "0x") {
		return fmt.Sprintf("0x%02x", n)
	}
	return decimal(n)
}

func tcpFlagsText(flags uint32) string {
	text := []byte("........")
	for i, name := range []byte("CEUAPRSF") {
		if flags&(0x80>>i) != 0 {
			text[i] = name
		}
	}
	return string(text)
}

func macText(mac uint64) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(mac>>40), byte(mac>>32), byte(mac>>24), byte(mac>>16), byte(mac>>8), byte(mac))
}

func etypeText(etype uint32) string {
	return map[uint32]string{0x0800: "IPv4", 0x86dd: "IPv6"}[etype]
}

// sameSecond returns a time in milliseconds if it is in the second at, else something else.
func sameSecond(milliseconds string, at uint64) string {
	if seconds := decimal(at); strings.HasPrefix(milliseconds, seconds) && len(milliseconds) == len(seconds)+3 {
		return milliseconds
	}
	return "another second: " + decimal(at)
}

// knownSecond returns at, or 0 where Telegraf has 0 and we the time of the datagram in
// its place.
func knownSecond(theirs string, at uint64, d *datagram) string {
	if theirs == "0" && at == uint64(exported(d.Payload).Unix()) {
		return "0"
	}
	return decimal(at)
}

// uptimeText returns when the exporter had been running for so long, if at is that
// moment. Only NetFlow v5 gives times in no other way.
func uptimeText(l line, field string, at uint64, d *datagram) string {
	uptime, ok := l.fields["sys_uptime"]
	if !ok {
		return l.fields[field] // flow_start_ms says it, too
	}
	var now, then int64
	fmt.Sscan(uptime, &now)
	fmt.Sscan(l.fields[field], &then)
	written := exported(d.Payload).UnixMilli() + int64(binary.BigEndian.Uint32(d.Payload[12:]))/1e6
	if (written-(now-then))/1000 == int64(at) {
		return l.fields[field]
	}
	return "another time: " + decimal(at)
}
