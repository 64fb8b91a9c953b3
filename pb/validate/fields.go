package validate

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/leoluk/NetMeta/pb"
)

// IP protocols whose headers have what fields speak of (IANA "Assigned Internet
// Protocol Numbers").
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// Ethertypes (IEEE 802).
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

func (c *check) addresses() {
	m := c.m
	for _, a := range []struct {
		field string
		value []byte
	}{
		{"SrcAddr", m.SrcAddr}, {"DstAddr", m.DstAddr}, {"SamplerAddress", m.SamplerAddress},
		{"NextHop", m.NextHop}, {"BGPNextHop", m.BGPNextHop},
		{"SrcAddrEncap", m.SrcAddrEncap}, {"DstAddrEncap", m.DstAddrEncap},
		{"PostNATSrcAddr", m.PostNATSrcAddr}, {"PostNATDstAddr", m.PostNATDstAddr},
	} {
		switch len(a.value) {
		case 0, 4, 16:
			continue
		}
		effect := ":: is stored; write 4 bytes of IPv4 or 16 of IPv6"
		if _, err := netip.ParseAddr(string(a.value)); err == nil {
			effect = ":: is stored; this is the address as text: write its 4 or 16 bytes"
			c.add(Wrong, a.field, "is text", string(a.value), effect)
			continue
		}
		c.add(Wrong, a.field, "is neither 4 nor 16 bytes long", fmt.Sprintf("%d bytes", len(a.value)), effect)
	}
}

// limit is the largest number that a field may have.
type limit struct {
	field  string
	most   uint64
	column int // bits of its column; 64: no number is cut
	get    func(*pb.FlowMessage) uint64
}

// number makes a uint64 of a field.
func number(get func(*pb.FlowMessage) uint32) func(*pb.FlowMessage) uint64 {
	return func(m *pb.FlowMessage) uint64 { return uint64(get(m)) }
}

// limits are those of the protocols' headers, and of the columns of flows_raw.
var limits = []limit{
	{"SrcPort", 65535, 32, number((*pb.FlowMessage).GetSrcPort)},
	{"DstPort", 65535, 32, number((*pb.FlowMessage).GetDstPort)},
	{"SrcPortEncap", 65535, 16, number((*pb.FlowMessage).GetSrcPortEncap)},
	{"DstPortEncap", 65535, 16, number((*pb.FlowMessage).GetDstPortEncap)},
	{"PostNATSrcPort", 65535, 16, number((*pb.FlowMessage).GetPostNATSrcPort)},
	{"PostNATDstPort", 65535, 16, number((*pb.FlowMessage).GetPostNATDstPort)},
	{"Proto", 255, 8, number((*pb.FlowMessage).GetProto)},
	{"ProtoEncap", 255, 8, number((*pb.FlowMessage).GetProtoEncap)},
	{"IPTos", 255, 8, number((*pb.FlowMessage).GetIPTos)},
	{"IPTosEncap", 255, 8, number((*pb.FlowMessage).GetIPTosEncap)},
	{"IPTTL", 255, 8, number((*pb.FlowMessage).GetIPTTL)},
	{"IPTTLEncap", 255, 8, number((*pb.FlowMessage).GetIPTTLEncap)},
	{"TCPFlags", 255, 8, number((*pb.FlowMessage).GetTCPFlags)},
	{"TCPFlagsEncap", 255, 8, number((*pb.FlowMessage).GetTCPFlagsEncap)},
	{"ForwardingStatus", 255, 8, number((*pb.FlowMessage).GetForwardingStatus)},
	{"IcmpType", 255, 8, number((*pb.FlowMessage).GetIcmpType)},
	{"IcmpCode", 255, 8, number((*pb.FlowMessage).GetIcmpCode)},
	{"FlowDirection", 1, 8, number((*pb.FlowMessage).GetFlowDirection)},
	{"BiFlowDirection", 3, 8, number((*pb.FlowMessage).GetBiFlowDirection)},
	{"FlowEndReason", 255, 8, number((*pb.FlowMessage).GetFlowEndReason)},
	{"NATEvent", 255, 8, number((*pb.FlowMessage).GetNATEvent)},
	{"FirewallEvent", 255, 8, number((*pb.FlowMessage).GetFirewallEvent)},
	{"Etype", 65535, 16, number((*pb.FlowMessage).GetEtype)},
	{"EtypeEncap", 65535, 16, number((*pb.FlowMessage).GetEtypeEncap)},
	{"VlanId", 4095, 32, number((*pb.FlowMessage).GetVlanId)},
	{"SrcVlan", 4095, 32, number((*pb.FlowMessage).GetSrcVlan)},
	{"DstVlan", 4095, 32, number((*pb.FlowMessage).GetDstVlan)},
	{"FragmentId", 1<<32 - 1, 32, number((*pb.FlowMessage).GetFragmentId)},
	{"FragmentOffset", 8191, 32, number((*pb.FlowMessage).GetFragmentOffset)},
	{"IPv6FlowLabel", 1<<20 - 1, 32, number((*pb.FlowMessage).GetIPv6FlowLabel)},
	{"VNI", 1<<32 - 1, 32, number((*pb.FlowMessage).GetVNI)},
	{"MPLS1Label", 1<<20 - 1, 32, number((*pb.FlowMessage).GetMPLS1Label)},
	{"MPLS2Label", 1<<20 - 1, 32, number((*pb.FlowMessage).GetMPLS2Label)},
	{"MPLS3Label", 1<<20 - 1, 32, number((*pb.FlowMessage).GetMPLS3Label)},
	{"MPLSLastLabel", 1<<20 - 1, 32, number((*pb.FlowMessage).GetMPLSLastLabel)},
	{"SrcMac", 1<<48 - 1, 64, (*pb.FlowMessage).GetSrcMac},
	{"DstMac", 1<<48 - 1, 64, (*pb.FlowMessage).GetDstMac},
	{"SrcNet", 128, 8, number((*pb.FlowMessage).GetSrcNet)},
	{"DstNet", 128, 8, number((*pb.FlowMessage).GetDstNet)},
}

func (c *check) numbers() {
	for _, l := range limits {
		value := l.get(c.m)
		if value <= l.most {
			continue
		}
		if cut := value & (1<<l.column - 1); l.column < 64 && cut != value {
			c.add(Wrong, l.field, fmt.Sprintf("is above %d", l.most), value, fmt.Sprintf("its lower %d bits are stored", l.column))
			continue
		}
		c.add(Doubtful, l.field, fmt.Sprintf("is above %d", l.most), value, "it is stored so, and nothing has such a number")
	}
}

// contradictions are numbers that cannot all be true.
func (c *check) contradictions() {
	m := c.m
	switch {
	case m.Bytes == 0 && m.Packets == 0:
		c.add(Doubtful, "", "has neither Bytes nor Packets", nil, "the flow counts as no traffic")
	case m.Packets == 0:
		c.add(Doubtful, "Packets", "is 0 where Bytes is not", fmt.Sprintf("%d bytes", m.Bytes), "rates of packets, and so alerts of attacks, leave the flow out")
	case m.Bytes < m.Packets:
		c.add(Doubtful, "Bytes", "is below Packets", fmt.Sprintf("%d bytes, %d packets", m.Bytes, m.Packets), "no packet is that short")
	}
	if m.FlowDirection != 0 && !m.HasFlowDirection {
		c.add(Doubtful, "FlowDirection", "is set without HasFlowDirection", m.FlowDirection, "the direction is shown as unknown")
	}
	c.families()
	if ports := m.SrcPort != 0 || m.DstPort != 0; ports && !slices.Contains([]uint32{protoTCP, protoUDP, protoDCCP, protoSCTP, protoUDPLite}, m.Proto) {
		c.add(Doubtful, "Proto", "has no ports, and there are some", m.Proto, "lists by service show the ports under this protocol")
	}
	if m.TCPFlags != 0 && m.Proto != protoTCP {
		c.add(Doubtful, "Proto", "is not TCP, and there are TCPFlags", m.Proto, "what looks for floods goes by both")
	}
	if (m.IcmpType != 0 || m.IcmpCode != 0) && m.Proto != protoICMP && m.Proto != protoICMPv6 {
		c.add(Doubtful, "Proto", "is not ICMP, and there is an IcmpType or IcmpCode", m.Proto, "it is stored so")
	}
}

// families checks the addresses of the packet against each other and its ethertype.
func (c *check) families() {
	m := c.m
	src, dst := family(m.SrcAddr), family(m.DstAddr)
	if src != 0 && dst != 0 && src != dst {
		c.add(Doubtful, "", "has SrcAddr and DstAddr of different families", nil, "no packet has")
		return
	}
	ip := max(src, dst)
	switch {
	case ip == 0:
	case m.Etype == 0:
		c.add(Doubtful, "Etype", "is missing", nil, fmt.Sprintf("charts by ethertype show the flow as unknown; this is %d", ip))
	case m.Etype != ip && (m.Etype == etherIPv4 || m.Etype == etherIPv6):
		c.add(Doubtful, "Etype", "is of another family than the addresses", m.Etype, fmt.Sprintf("this is %d", ip))
	}
	most := uint32(128)
	if ip == etherIPv4 {
		most = 32
	}
	for _, net := range []struct {
		field string
		value uint32
	}{{"SrcNet", m.SrcNet}, {"DstNet", m.DstNet}} {
		if net.value > most && net.value <= 128 {
			c.add(Doubtful, net.field, fmt.Sprintf("is above %d", most), net.value, "no network of IPv4 is that small")
		}
	}
}

var mapped = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}

// family returns the ethertype of an address, 0 where it is none. IPv6-mapped IPv4
// (RFC 4291, section 2.5.5.2) is IPv4.
func family(address []byte) uint32 {
	switch {
	case len(address) == 4 || len(address) == 16 && bytes.HasPrefix(address, mapped):
		return etherIPv4
	case len(address) == 16:
		return etherIPv6
	}
	return 0
}
