package flow

// AppendDelimited implements [Message]. Fields with their zero value are left out, as
// proto3 has it, and are written in the order of their numbers.
//
// Looking at fields that are not there would take as long as writing the others. So
// those that few flows have stand in groups, at which one condition looks together.
func (r *Record) AppendDelimited(b []byte) []byte {
	length := r.lengthBytes()
	b, e := begin(b, length)
	e = r.encodeFlow(e)
	if r.IngressVrfID|r.EgressVrfID|r.BiFlowDirection|r.FlowDirection != 0 {
		e = r.encodeVRFs(e)
	}
	if r.HasEncap {
		e = r.encodeInner(e)
	}
	if r.HasMPLS {
		e = r.encodeMPLS(e)
	}
	if r.HasPPP || r.PPPAddressControl != 0 {
		e = e.bool(field(63), r.HasPPP)
		e = e.uint(field(64), r.PPPAddressControl)
	}
	e = e.uint(field(1001), uint32(r.SamplingRateSource))
	e = e.uint(field(1002), r.ObservationDomain)
	if r.HasEncap || r.VNI != 0 || r.TunnelType != 0 {
		e = r.encodeTunnel(e)
	}
	if r.hasNAT() {
		e = r.encodeNAT(e)
	}
	if r.BGPNextHop.IsValid() || len(r.ASPath) != 0 || len(r.Communities) != 0 {
		e = r.encodeRoute(e)
	}
	if r.FirewallEvent|r.FlowEndReason != 0 || r.ApplicationID != 0 || r.ApplicationName != "" {
		e = r.encodeReasons(e)
	}
	e = e.bool(field(1020), r.HasFlowDirection)
	return e.finish(b, length)
}

// lengthBytes guesses how many bytes the length of the message takes: most are shorter
// than 128 bytes, but not those with longer addresses.
func (r *Record) lengthBytes() int {
	if r.SrcAddr.Is6() || r.HasEncap || len(r.ASPath) > 0 {
		return 2
	}
	return 1
}

// encodeFlow writes what most flows have.
func (r *Record) encodeFlow(e encoder) encoder {
	e = e.uint(field(1), uint32(r.Type))
	e = e.uint64(field(2), r.TimeReceived)
	e = e.uint64(field(3), r.SamplingRate)
	e = e.uint(field(4), r.SequenceNum)
	e = e.uint64(field(5), r.TimeFlowEnd)
	e = e.address(field(6), r.SrcAddr)
	e = e.address(field(7), r.DstAddr)
	e = e.uint64(field(9), r.Bytes)
	e = e.uint64(field(10), r.Packets)
	e = e.address(field(11), r.SamplerAddress)
	if r.NextHop.IsValid() || r.NextHopAS|r.SrcAS|r.DstAS|r.SrcNet|r.DstNet != 0 {
		e = r.encodeRouting(e)
	}
	e = e.uint(field(18), r.InIf)
	e = e.uint(field(19), r.OutIf)
	e = e.uint(field(20), r.Proto)
	e = e.uint(field(21), r.SrcPort)
	e = e.uint(field(22), r.DstPort)
	e = e.uint(field(23), r.IPTos)
	if r.ForwardingStatus|r.IPTTL != 0 {
		e = e.uint(field(24), r.ForwardingStatus)
		e = e.uint(field(25), r.IPTTL)
	}
	e = e.uint(field(26), r.TCPFlags)
	if r.SrcMac|r.DstMac != 0 || r.VlanID != 0 {
		e = e.uint64(field(27), r.SrcMac)
		e = e.uint64(field(28), r.DstMac)
		e = e.uint(field(29), r.VlanID)
	}
	e = e.uint(field(30), r.Etype)
	if r.IcmpType|r.IcmpCode|r.SrcVlan|r.DstVlan|r.FragmentID|r.FragmentOffset|r.IPv6FlowLabel != 0 {
		e = r.encodeHeader(e)
	}
	return e.uint64(field(38), r.TimeFlowStart)
}

func (r *Record) encodeRouting(e encoder) encoder {
	e = e.address(field(12), r.NextHop)
	e = e.uint(field(13), r.NextHopAS)
	e = e.uint(field(14), r.SrcAS)
	e = e.uint(field(15), r.DstAS)
	e = e.uint(field(16), r.SrcNet)
	return e.uint(field(17), r.DstNet)
}

func (r *Record) encodeHeader(e encoder) encoder {
	e = e.uint(field(31), r.IcmpType)
	e = e.uint(field(32), r.IcmpCode)
	e = e.uint(field(33), r.SrcVlan)
	e = e.uint(field(34), r.DstVlan)
	e = e.uint(field(35), r.FragmentID)
	e = e.uint(field(36), r.FragmentOffset)
	return e.uint(field(37), r.IPv6FlowLabel)
}

func (r *Record) encodeVRFs(e encoder) encoder {
	e = e.uint(field(39), r.IngressVrfID)
	e = e.uint(field(40), r.EgressVrfID)
	e = e.uint(field(41), r.BiFlowDirection)
	return e.uint(field(42), r.FlowDirection)
}

func (r *Record) encodeInner(e encoder) encoder {
	e = e.bool(field(43), true)
	e = e.address(field(44), r.SrcAddrEncap)
	e = e.address(field(45), r.DstAddrEncap)
	e = e.uint(field(46), r.ProtoEncap)
	e = e.uint(field(47), r.EtypeEncap)
	e = e.uint(field(48), r.IPTosEncap)
	e = e.uint(field(49), r.IPTTLEncap)
	e = e.uint(field(50), r.IPv6FlowLabelEncap)
	e = e.uint(field(51), r.FragmentIDEncap)
	return e.uint(field(52), r.FragmentOffsetEncap)
}

func (r *Record) encodeMPLS(e encoder) encoder {
	e = e.bool(field(53), true)
	e = e.uint(field(54), r.MPLSCount)
	e = e.uint(field(55), r.MPLS1TTL)
	e = e.uint(field(56), r.MPLS1Label)
	e = e.uint(field(57), r.MPLS2TTL)
	e = e.uint(field(58), r.MPLS2Label)
	e = e.uint(field(59), r.MPLS3TTL)
	e = e.uint(field(60), r.MPLS3Label)
	e = e.uint(field(61), r.MPLSLastTTL)
	return e.uint(field(62), r.MPLSLastLabel)
}

func (r *Record) encodeTunnel(e encoder) encoder {
	e = e.uint(field(1003), uint32(r.TunnelType))
	e = e.uint(field(1004), r.VNI)
	if r.HasEncap {
		e = e.uint(field(1005), r.SrcPortEncap)
		e = e.uint(field(1006), r.DstPortEncap)
		e = e.uint(field(1007), r.TCPFlagsEncap)
	}
	return e
}

func (r *Record) hasNAT() bool {
	return r.PostNATSrcAddr.IsValid() || r.PostNATDstAddr.IsValid() || r.PostNATSrcPort|r.PostNATDstPort|r.NATEvent != 0
}

func (r *Record) encodeNAT(e encoder) encoder {
	e = e.address(field(1008), r.PostNATSrcAddr)
	e = e.address(field(1009), r.PostNATDstAddr)
	e = e.uint(field(1010), r.PostNATSrcPort)
	e = e.uint(field(1011), r.PostNATDstPort)
	return e.uint(field(1012), r.NATEvent)
}

func (r *Record) encodeRoute(e encoder) encoder {
	e = e.address(field(1013), r.BGPNextHop)
	e = e.packed(field(1014), r.ASPath[:min(len(r.ASPath), MaxASPath)])
	return e.packed(field(1015), r.Communities[:min(len(r.Communities), MaxCommunities)])
}

func (r *Record) encodeReasons(e encoder) encoder {
	e = e.uint(field(1016), r.FirewallEvent)
	e = e.uint(field(1017), r.FlowEndReason)
	e = e.uint64(field(1018), r.ApplicationID)
	return e.string(field(1019), r.ApplicationName)
}
