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
	r := &v.record
	v.resolveCounters()
	v.resolveAddresses()
	v.resolveTransport()
	v.resolveLink()
	if v.boot == 0 && (v.hasFirstUptime || v.hasLastUptime) && d.version == 10 {
		v.boot = d.state.Boot(d.domain)
	}
	start, end := d.times(v)
	d.setTimes(r, start, end)
	r.SamplingRate = v.rate()
	answered := d.hasReverse && d.reverseOf(r)
	d.finish(r, v.samplerID())
	if answered {
		reverseRecords.Inc()
		d.finish(&d.reverse.record, v.samplerID())
	}
}

// resolveCounters takes the first counter that is not 0. Templates carry several,
// of which exporters fill in one: taking a later one that is 0 would lose the count.
// Initiator and responder are the two directions of one connection.
func (v *values) resolveCounters() {
	v.record.Bytes = cmp.Or(v.octets, v.postOctets, v.totalOctets, v.initiatorOctets+v.responderOctets, v.layer2Octets)
	v.record.Packets = cmp.Or(v.packets, v.postPackets, v.totalPackets, v.initiatorPackets+v.responderPackets)
	if v.hasFrame {
		v.record.Bytes = cmp.Or(v.record.Bytes, v.frameSize)
		v.record.Packets = cmp.Or(v.record.Packets, 1)
	}
}

// resolveAddresses chooses between IPv4 and IPv6 for a whole record. Some templates
// have fields for both and leave the unused ones 0.
func (v *values) resolveAddresses() {
	r := &v.record
	src, dst, srcMask, dstMask := v.src4, v.dst4, v.srcMask4, v.dstMask4
	if v.isIPv6() {
		src, dst, srcMask, dstMask = v.src6, v.dst6, v.srcMask6, v.dstMask6
	}
	if src.IsValid() {
		r.SrcAddr = src
	}
	if dst.IsValid() {
		r.DstAddr = dst
	}
	r.SrcNet, r.DstNet = srcMask, dstMask
	r.NextHop = firstKnown(v.next4, v.next6, v.bgpNext4, v.bgpNext6)
	r.Etype = cmp.Or(etypeOf(v.ipVersion), v.etype, r.Etype)
	if r.Etype == 0 {
		r.Etype = etypeOfAddress(cmpAddr(r.SrcAddr, r.DstAddr))
	}
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

// firstKnown returns the first address that is known, else the first that was sent.
func firstKnown(a, b, c, d netip.Addr) netip.Addr {
	for _, addr := range [...]netip.Addr{a, b, c, d} {
		if isKnown(addr) {
			return addr
		}
	}
	return cmpAddr(cmpAddr(a, b), cmpAddr(c, d))
}

// cmpAddr returns a, or b where a was not sent.
func cmpAddr(a, b netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return b
}

func etypeOf(ipVersion uint32) uint32 {
	switch ipVersion {
	case 4:
		return packet.EtypeIPv4
	case 6:
		return packet.EtypeIPv6
	}
	return 0
}

func etypeOfAddress(a netip.Addr) uint32 {
	switch {
	case a.Is4():
		return packet.EtypeIPv4
	case a.Is6():
		return packet.EtypeIPv6
	}
	return 0
}

func (v *values) resolveTransport() {
	r := &v.record
	r.SrcPort = cmp.Or(v.srcPort, v.udpSrcPort, v.tcpSrcPort, r.SrcPort)
	r.DstPort = cmp.Or(v.dstPort, v.udpDstPort, v.tcpDstPort, r.DstPort)
	r.IPTTL = cmp.Or(v.ttl, v.minimumTTL, r.IPTTL)
	if isICMP(r.Proto) {
		// pmacctd and others put both into the port, as NetFlow v5 does.
		if !v.hasICMP {
			v.icmpTypeCode = r.DstPort
		}
		r.IcmpType = cmp.Or(v.icmpType, v.icmpTypeCode>>8&0xff, r.IcmpType)
		r.IcmpCode = cmp.Or(v.icmpCode, v.icmpTypeCode&0xff, r.IcmpCode)
	}
	dropFalsePorts(r)
}

func isICMP(proto uint32) bool { return proto == protoICMP || proto == protoICMPv6 }

// dropFalsePorts clears what cannot be ports: of a protocol that has none, where
// some exporters put the ICMP type, and of fragments other than the first. Protocol
// 0 stands for exporters that do not tell it.
func dropFalsePorts(r *flow.Record) {
	if r.Proto != 0 && !packet.HasPorts(r.Proto) || r.FragmentOffset > 0 {
		r.SrcPort, r.DstPort = 0, 0
	}
}

func (v *values) resolveLink() {
	r := &v.record
	r.SrcMac = cmp.Or(v.srcMac, v.postSrcMac, r.SrcMac)
	r.DstMac = cmp.Or(v.dstMac, v.postDstMac, r.DstMac)
	r.SrcVlan = cmp.Or(v.vlan, v.dot1qVlan)
	r.DstVlan = cmp.Or(v.postVlan, v.postDot1qVlan)
	r.VlanID = cmp.Or(r.SrcVlan, r.VlanID)
	r.InIf = cmp.Or(v.inIf, v.physicalInIf)
	r.OutIf = cmp.Or(v.outIf, v.physicalOutIf)
}
