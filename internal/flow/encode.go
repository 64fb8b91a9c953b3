package flow

// AppendDelimited implements [Message]. Fields with their zero value are left out, as
// proto3 has it, and are written in the order of their numbers.
func (r *Record) AppendDelimited(b []byte) []byte {
	b, e := begin(b)
	return r.encode(e).finish(b)
}

func (r *Record) encode(e encoder) encoder {
	e = e.uint(field(1), uint64(r.Type))
	e = e.uint(field(2), r.TimeReceived)
	e = e.uint(field(3), r.SamplingRate)
	e = e.uint(field(4), uint64(r.SequenceNum))
	e = e.uint(field(5), r.TimeFlowEnd)
	e = e.address(field(6), r.SrcAddr)
	e = e.address(field(7), r.DstAddr)
	e = e.uint(field(9), r.Bytes)
	e = e.uint(field(10), r.Packets)
	e = e.address(field(11), r.SamplerAddress)
	e = e.address(field(12), r.NextHop)
	e = e.uint(field(13), uint64(r.NextHopAS))
	e = e.uint(field(14), uint64(r.SrcAS))
	e = e.uint(field(15), uint64(r.DstAS))
	e = e.uint(field(16), uint64(r.SrcNet))
	e = e.uint(field(17), uint64(r.DstNet))
	e = e.uint(field(18), uint64(r.InIf))
	e = e.uint(field(19), uint64(r.OutIf))
	e = e.uint(field(20), uint64(r.Proto))
	e = e.uint(field(21), uint64(r.SrcPort))
	e = e.uint(field(22), uint64(r.DstPort))
	e = e.uint(field(23), uint64(r.IPTos))
	e = e.uint(field(24), uint64(r.ForwardingStatus))
	e = e.uint(field(25), uint64(r.IPTTL))
	e = e.uint(field(26), uint64(r.TCPFlags))
	e = e.uint(field(27), r.SrcMac)
	e = e.uint(field(28), r.DstMac)
	e = e.uint(field(29), uint64(r.VlanID))
	e = e.uint(field(30), uint64(r.Etype))
	e = e.uint(field(31), uint64(r.IcmpType))
	e = e.uint(field(32), uint64(r.IcmpCode))
	e = e.uint(field(33), uint64(r.SrcVlan))
	e = e.uint(field(34), uint64(r.DstVlan))
	e = e.uint(field(35), uint64(r.FragmentID))
	e = e.uint(field(36), uint64(r.FragmentOffset))
	e = e.uint(field(37), uint64(r.IPv6FlowLabel))
	e = e.uint(field(38), r.TimeFlowStart)
	e = e.uint(field(39), uint64(r.IngressVrfID))
	e = e.uint(field(40), uint64(r.EgressVrfID))
	e = e.uint(field(41), uint64(r.BiFlowDirection))
	e = e.uint(field(42), uint64(r.FlowDirection))
	if r.HasEncap {
		e = r.encodeInner(e)
	}
	if r.HasMPLS {
		e = r.encodeMPLS(e)
	}
	e = e.bool(field(63), r.HasPPP)
	e = e.uint(field(64), uint64(r.PPPAddressControl))
	e = e.uint(field(1001), uint64(r.SamplingRateSource))
	e = e.uint(field(1002), uint64(r.ObservationDomain))
	e = e.uint(field(1003), uint64(r.TunnelType))
	e = e.uint(field(1004), uint64(r.VNI))
	if r.HasEncap {
		e = e.uint(field(1005), uint64(r.SrcPortEncap))
		e = e.uint(field(1006), uint64(r.DstPortEncap))
		e = e.uint(field(1007), uint64(r.TCPFlagsEncap))
	}
	return r.encodeExtras(e)
}

func (r *Record) encodeInner(e encoder) encoder {
	e = e.bool(field(43), true)
	e = e.address(field(44), r.SrcAddrEncap)
	e = e.address(field(45), r.DstAddrEncap)
	e = e.uint(field(46), uint64(r.ProtoEncap))
	e = e.uint(field(47), uint64(r.EtypeEncap))
	e = e.uint(field(48), uint64(r.IPTosEncap))
	e = e.uint(field(49), uint64(r.IPTTLEncap))
	e = e.uint(field(50), uint64(r.IPv6FlowLabelEncap))
	e = e.uint(field(51), uint64(r.FragmentIDEncap))
	e = e.uint(field(52), uint64(r.FragmentOffsetEncap))
	return e
}

func (r *Record) encodeMPLS(e encoder) encoder {
	e = e.bool(field(53), true)
	e = e.uint(field(54), uint64(r.MPLSCount))
	e = e.uint(field(55), uint64(r.MPLS1TTL))
	e = e.uint(field(56), uint64(r.MPLS1Label))
	e = e.uint(field(57), uint64(r.MPLS2TTL))
	e = e.uint(field(58), uint64(r.MPLS2Label))
	e = e.uint(field(59), uint64(r.MPLS3TTL))
	e = e.uint(field(60), uint64(r.MPLS3Label))
	e = e.uint(field(61), uint64(r.MPLSLastTTL))
	e = e.uint(field(62), uint64(r.MPLSLastLabel))
	return e
}

func (r *Record) encodeExtras(e encoder) encoder {
	e = e.address(field(1008), r.PostNATSrcAddr)
	e = e.address(field(1009), r.PostNATDstAddr)
	e = e.uint(field(1010), uint64(r.PostNATSrcPort))
	e = e.uint(field(1011), uint64(r.PostNATDstPort))
	e = e.uint(field(1012), uint64(r.NATEvent))
	e = e.address(field(1013), r.BGPNextHop)
	e = e.packed(field(1014), r.ASPath[:min(len(r.ASPath), MaxASPath)])
	e = e.packed(field(1015), r.Communities[:min(len(r.Communities), MaxCommunities)])
	e = e.uint(field(1016), uint64(r.FirewallEvent))
	e = e.uint(field(1017), uint64(r.FlowEndReason))
	e = e.uint(field(1018), r.ApplicationID)
	e = e.string(field(1019), r.ApplicationName)
	e = e.bool(field(1020), r.HasFlowDirection)
	return e
}
