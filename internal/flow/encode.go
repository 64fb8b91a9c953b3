package flow

// AppendDelimited implements [Message]. Fields with their zero value are left out, as
// proto3 has it, and are written in the order of their numbers.
func (r *Record) AppendDelimited(b []byte) []byte {
	b, e := begin(b)
	e.uint(1, uint64(r.Type))
	e.uint(2, r.TimeReceived)
	e.uint(3, r.SamplingRate)
	e.uint(4, uint64(r.SequenceNum))
	e.uint(5, r.TimeFlowEnd)
	e.address(6, r.SrcAddr)
	e.address(7, r.DstAddr)
	e.uint(9, r.Bytes)
	e.uint(10, r.Packets)
	e.address(11, r.SamplerAddress)
	e.address(12, r.NextHop)
	e.uint(13, uint64(r.NextHopAS))
	e.uint(14, uint64(r.SrcAS))
	e.uint(15, uint64(r.DstAS))
	e.uint(16, uint64(r.SrcNet))
	e.uint(17, uint64(r.DstNet))
	e.uint(18, uint64(r.InIf))
	e.uint(19, uint64(r.OutIf))
	e.uint(20, uint64(r.Proto))
	e.uint(21, uint64(r.SrcPort))
	e.uint(22, uint64(r.DstPort))
	e.uint(23, uint64(r.IPTos))
	e.uint(24, uint64(r.ForwardingStatus))
	e.uint(25, uint64(r.IPTTL))
	e.uint(26, uint64(r.TCPFlags))
	e.uint(27, r.SrcMac)
	e.uint(28, r.DstMac)
	e.uint(29, uint64(r.VlanID))
	e.uint(30, uint64(r.Etype))
	e.uint(31, uint64(r.IcmpType))
	e.uint(32, uint64(r.IcmpCode))
	e.uint(33, uint64(r.SrcVlan))
	e.uint(34, uint64(r.DstVlan))
	e.uint(35, uint64(r.FragmentID))
	e.uint(36, uint64(r.FragmentOffset))
	e.uint(37, uint64(r.IPv6FlowLabel))
	e.uint(38, r.TimeFlowStart)
	e.uint(39, uint64(r.IngressVrfID))
	e.uint(40, uint64(r.EgressVrfID))
	e.uint(41, uint64(r.BiFlowDirection))
	e.uint(42, uint64(r.FlowDirection))
	if r.HasEncap {
		r.encodeInner(&e)
	}
	if r.HasMPLS {
		r.encodeMPLS(&e)
	}
	e.bool(63, r.HasPPP)
	e.uint(64, uint64(r.PPPAddressControl))
	e.uint(1001, uint64(r.SamplingRateSource))
	e.uint(1002, uint64(r.ObservationDomain))
	e.uint(1003, uint64(r.TunnelType))
	e.uint(1004, uint64(r.VNI))
	if r.HasEncap {
		e.uint(1005, uint64(r.SrcPortEncap))
		e.uint(1006, uint64(r.DstPortEncap))
		e.uint(1007, uint64(r.TCPFlagsEncap))
	}
	r.encodeExtras(&e)
	return e.finish(b)
}

func (r *Record) encodeInner(e *encoder) {
	e.bool(43, true)
	e.address(44, r.SrcAddrEncap)
	e.address(45, r.DstAddrEncap)
	e.uint(46, uint64(r.ProtoEncap))
	e.uint(47, uint64(r.EtypeEncap))
	e.uint(48, uint64(r.IPTosEncap))
	e.uint(49, uint64(r.IPTTLEncap))
	e.uint(50, uint64(r.IPv6FlowLabelEncap))
	e.uint(51, uint64(r.FragmentIDEncap))
	e.uint(52, uint64(r.FragmentOffsetEncap))
}

func (r *Record) encodeMPLS(e *encoder) {
	e.bool(53, true)
	e.uint(54, uint64(r.MPLSCount))
	e.uint(55, uint64(r.MPLS1TTL))
	e.uint(56, uint64(r.MPLS1Label))
	e.uint(57, uint64(r.MPLS2TTL))
	e.uint(58, uint64(r.MPLS2Label))
	e.uint(59, uint64(r.MPLS3TTL))
	e.uint(60, uint64(r.MPLS3Label))
	e.uint(61, uint64(r.MPLSLastTTL))
	e.uint(62, uint64(r.MPLSLastLabel))
}

func (r *Record) encodeExtras(e *encoder) {
	e.address(1008, r.PostNATSrcAddr)
	e.address(1009, r.PostNATDstAddr)
	e.uint(1010, uint64(r.PostNATSrcPort))
	e.uint(1011, uint64(r.PostNATDstPort))
	e.uint(1012, uint64(r.NATEvent))
	e.address(1013, r.BGPNextHop)
	e.packed(1014, r.ASPath[:min(len(r.ASPath), MaxASPath)])
	e.packed(1015, r.Communities[:min(len(r.Communities), MaxCommunities)])
	e.uint(1016, uint64(r.FirewallEvent))
	e.uint(1017, uint64(r.FlowEndReason))
	e.uint(1018, r.ApplicationID)
	e.string(1019, r.ApplicationName)
	e.bool(1020, r.HasFlowDirection)
}
