package netflow

import (
	"cmp"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// IP protocols that have a type and a code instead of ports.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

// emitFlow emits the record that d.values holds, and that of the other direction if
// it is a biflow.
func (d *Decoder) emitFlow() {
	v := &d.values
	v.resolveCounters()
	v.resolveAddresses()
	v.resolveTransport()
	v.resolveLink()
	d.resolveExtras(v)
	start, end := d.times(v)
	d.setTimes(&v.Record, start, end)
	said := v.rate()
	answered := d.hasReverse && d.reverseOf(&v.Record)
	d.finish(&v.Record, v.sampler, said)
	if answered {
		reverseRecords.Inc()
		d.finish(&d.reverse.Record, v.sampler, said)
	}
}

// resolveCounters takes what there is where the counters of the flow were not sent.
// Initiator and responder are the two directions of one connection.
func (v *values) resolveCounters() {
	if v.parts&(partCounters|partPacket) == 0 {
		return
	}
	v.Bytes = cmp.Or(v.Bytes, v.initiatorOctets+v.responderOctets, v.layer2Octets)
	v.Packets = cmp.Or(v.Packets, v.initiatorPackets+v.responderPackets)
	if v.parts&partPacket != 0 {
		v.Bytes = cmp.Or(v.Bytes, v.frameSize)
		v.Packets = cmp.Or(v.Packets, 1)
	}
}

// resolveAddresses chooses between IPv4 and IPv6 for a whole record. Some templates
// have fields for both and leave the unused ones 0.
func (v *values) resolveAddresses() {
	if v.parts&families == families {
		v.SrcAddr, v.DstAddr, v.SrcNet, v.DstNet = v.src4, v.dst4, v.srcMask4, v.dstMask4
		if v.isIPv6() {
			v.SrcAddr, v.DstAddr, v.SrcNet, v.DstNet = v.src6, v.dst6, v.srcMask6, v.dstMask6
		}
	}
	v.NextHop = v.nextHop
	if !isKnown(v.NextHop) && (isKnown(v.BGPNextHop) || !v.NextHop.IsValid()) {
		v.NextHop = v.BGPNextHop
	}
	etype := cmp.Or(etypeOf(v.ipVersion), v.etype)
	if etype == 0 && v.parts&partPacket != 0 {
		etype = v.Etype
	}
	if etype == 0 {
		etype = cmp.Or(etypeOfAddress(&v.SrcAddr), etypeOfAddress(&v.DstAddr))
	}
	v.Etype = etype
}

func (v *values) isIPv6() bool {
	has4, has6 := v.src4.IsValid() || v.dst4.IsValid(), v.src6.IsValid() || v.dst6.IsValid()
	switch {
	case !has4 || !has6:
		return has6
	case v.ipVersion == 4 || v.ipVersion == 6:
		return v.ipVersion == 6
	}
	return !isKnown(v.src4) && !isKnown(v.dst4) && (isKnown(v.src6) || isKnown(v.dst6))
}

// isKnown: :: and 0.0.0.0 are what exporters send for no address.
func isKnown(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() }

func etypeOf(ipVersion uint32) uint32 {
	switch ipVersion {
	case 4:
		return packet.EtypeIPv4
	case 6:
		return packet.EtypeIPv6
	}
	return 0
}

func etypeOfAddress(a *netip.Addr) uint32 {
	switch {
	case a.Is4():
		return packet.EtypeIPv4
	case a.Is6():
		return packet.EtypeIPv6
	}
	return 0
}

func (v *values) resolveTransport() {
	r := &v.Record
	if v.parts&partPacket == 0 {
		r.IcmpType, r.IcmpCode = 0, 0
	}
	if isICMP(r.Proto) {
		// pmacctd and others put both into the port, as NetFlow v5 does.
		typeCode := v.icmpTypeCode
		if v.parts&partICMP == 0 {
			typeCode = r.DstPort
		}
		r.IcmpType = cmp.Or(v.icmpType, typeCode>>8&0xff, r.IcmpType)
		r.IcmpCode = cmp.Or(v.icmpCode, typeCode&0xff, r.IcmpCode)
	}
	dropFalsePorts(r)
}

func isICMP(proto uint32) bool { return proto == protoICMP || proto == protoICMPv6 }

// portless are the IP protocols without ports. A table, because TCP and UDP alternate
// as no branch could foresee. Protocol 0 stands for exporters that do not tell it.
var portless = func() (protocols [256]bool) {
	for proto := range protocols {
		protocols[proto] = proto != 0 && !packet.HasPorts(uint32(proto))
	}
	return protocols
}()

// dropFalsePorts clears what cannot be ports: of a protocol that has none, where
// some exporters put the ICMP type, and of fragments other than the first.
func dropFalsePorts(r *flow.Record) {
	if portless[r.Proto&0xff] || r.FragmentOffset > 0 {
		r.SrcPort, r.DstPort = 0, 0
	}
}

// resolveLink: the VLAN of the packet is that of the interface that it came in by,
// unless a frame says more.
func (v *values) resolveLink() {
	if v.SrcVlan != 0 || v.parts&partPacket == 0 {
		v.VlanID = v.SrcVlan
	}
	v.HasFlowDirection = v.parts&partDirection != 0
}
