package netflow

// element is one information element that is read: where its value goes, and what
// is done about values that say the same or something impossible.
type element struct {
	name string // in the registry

	// to returns where in v the value belongs: a *uint32 or *uint64 for numbers, a
	// *netip.Addr for addresses, or a *[]byte for what is read later.
	to func(v *values) any

	// rank orders elements with the same destination: of those in a record, the first
	// that is not 0 counts. Templates carry several, of which exporters fill in one.
	rank int

	mask uint64 // bits of a number that count; 0: all
	only int    // the only length that makes sense; 0: any
	part part   // what has to be worked out from it
}

// part is a set of things that records of a template say in more than one field, or
// that mean something only together: resolve does nothing about the others.
type part uint32

const (
	partIPv4        part = 1 << iota // addresses of IPv4
	partIPv6                         // and of IPv6
	partICMP                         // type and code
	partDirection                    // of the flow
	partStart                        // as time since the exporter was started
	partEnd                          // the same
	partClock                        // times by a clock
	partRate                         // the sampling rate
	partSpace                        // packets between samples
	partApplication                  // its number or name
	partCounters                     // counters that are not of the flow as a whole, or of last resort
	partPacket                       // the beginning of a packet
	partLabels                       // MPLS
	partSegment                      // the virtual network
	partCommunities                  // of the BGP route
	partToS                          // type of service
	partDSCP                         // its upper six bits alone
	partInterface                    // what an interface is called
	partReverse                      // the other direction of a biflow
)

// families together leave a choice.
const families = partIPv4 | partIPv6

// elements are all that are read, by their number in IANA's registry "IP Flow
// Information Export (IPFIX) Entities". NetFlow v9 numbers them alike. The comments of
// pb/FlowMessage.proto say which field each of them fills.
var elements = [...]element{
	1:   {name: "octetDeltaCount", to: func(v *values) any { return &v.Bytes }},
	2:   {name: "packetDeltaCount", to: func(v *values) any { return &v.Packets }},
	4:   {name: "protocolIdentifier", to: func(v *values) any { return &v.Proto }},
	5:   {name: "ipClassOfService", to: func(v *values) any { return &v.IPTos }, part: partToS},
	6:   {name: "tcpControlBits", to: func(v *values) any { return &v.TCPFlags }, mask: 0x0fff}, // RFC 7125 section 3: before them, the header's length
	7:   {name: "sourceTransportPort", to: func(v *values) any { return &v.SrcPort }},
	8:   {name: "sourceIPv4Address", to: func(v *values) any { return &v.src4 }, part: partIPv4},
	9:   {name: "sourceIPv4PrefixLength", to: func(v *values) any { return &v.srcMask4 }, rank: 1},
	10:  {name: "ingressInterface", to: func(v *values) any { return &v.InIf }},
	11:  {name: "destinationTransportPort", to: func(v *values) any { return &v.DstPort }},
	12:  {name: "destinationIPv4Address", to: func(v *values) any { return &v.dst4 }, part: partIPv4},
	13:  {name: "destinationIPv4PrefixLength", to: func(v *values) any { return &v.dstMask4 }, rank: 1},
	14:  {name: "egressInterface", to: func(v *values) any { return &v.OutIf }},
	15:  {name: "ipNextHopIPv4Address", to: func(v *values) any { return &v.nextHop }},
	16:  {name: "bgpSourceAsNumber", to: func(v *values) any { return &v.SrcAS }},
	17:  {name: "bgpDestinationAsNumber", to: func(v *values) any { return &v.DstAS }},
	18:  {name: "bgpNextHopIPv4Address", to: func(v *values) any { return &v.BGPNextHop }},
	21:  {name: "flowEndSysUpTime", to: func(v *values) any { return &v.lastUptime }, part: partEnd},
	22:  {name: "flowStartSysUpTime", to: func(v *values) any { return &v.firstUptime }, part: partStart},
	23:  {name: "postOctetDeltaCount", to: func(v *values) any { return &v.Bytes }, rank: 1},    // v9: OUT_BYTES
	24:  {name: "postPacketDeltaCount", to: func(v *values) any { return &v.Packets }, rank: 1}, // v9: OUT_PKTS
	27:  {name: "sourceIPv6Address", to: func(v *values) any { return &v.src6 }, part: partIPv6},
	28:  {name: "destinationIPv6Address", to: func(v *values) any { return &v.dst6 }, part: partIPv6},
	29:  {name: "sourceIPv6PrefixLength", to: func(v *values) any { return &v.srcMask6 }},
	30:  {name: "destinationIPv6PrefixLength", to: func(v *values) any { return &v.dstMask6 }},
	31:  {name: "flowLabelIPv6", to: func(v *values) any { return &v.IPv6FlowLabel }},
	32:  {name: "icmpTypeCodeIPv4", to: func(v *values) any { return &v.icmpTypeCode }, part: partICMP},
	34:  {name: "samplingInterval", to: func(v *values) any { return &v.samplingInterval }, part: partRate},
	48:  {name: "samplerId", to: func(v *values) any { return &v.sampler }, rank: 1},
	50:  {name: "samplerRandomInterval", to: func(v *values) any { return &v.samplingInterval }, rank: 1, part: partRate},
	52:  {name: "minimumTTL", to: func(v *values) any { return &v.IPTTL }, rank: 1},
	53:  {name: "maximumTTL", to: func(v *values) any { return &v.IPTTL }, rank: 2},
	54:  {name: "fragmentIdentification", to: func(v *values) any { return &v.FragmentID }},
	56:  {name: "sourceMacAddress", to: func(v *values) any { return &v.SrcMac }, only: 6},
	57:  {name: "postDestinationMacAddress", to: func(v *values) any { return &v.DstMac }, only: 6, rank: 1},
	58:  {name: "vlanId", to: func(v *values) any { return &v.SrcVlan }, mask: 0x0fff}, // some send the priority too
	59:  {name: "postVlanId", to: func(v *values) any { return &v.DstVlan }, mask: 0x0fff},
	60:  {name: "ipVersion", to: func(v *values) any { return &v.ipVersion }},
	61:  {name: "flowDirection", to: func(v *values) any { return &v.FlowDirection }, part: partDirection},
	62:  {name: "ipNextHopIPv6Address", to: func(v *values) any { return &v.nextHop }, rank: 1},
	63:  {name: "bgpNextHopIPv6Address", to: func(v *values) any { return &v.BGPNextHop }, rank: 1},
	70:  {name: "mplsTopLabelStackSection", to: func(v *values) any { return &v.labels[0] }, part: partLabels},
	71:  {name: "mplsLabelStackSection2", to: func(v *values) any { return &v.labels[1] }, part: partLabels},
	72:  {name: "mplsLabelStackSection3", to: func(v *values) any { return &v.labels[2] }, part: partLabels},
	73:  {name: "mplsLabelStackSection4", to: func(v *values) any { return &v.labels[3] }, part: partLabels},
	74:  {name: "mplsLabelStackSection5", to: func(v *values) any { return &v.labels[4] }, part: partLabels},
	75:  {name: "mplsLabelStackSection6", to: func(v *values) any { return &v.labels[5] }, part: partLabels},
	76:  {name: "mplsLabelStackSection7", to: func(v *values) any { return &v.labels[6] }, part: partLabels},
	77:  {name: "mplsLabelStackSection8", to: func(v *values) any { return &v.labels[7] }, part: partLabels},
	78:  {name: "mplsLabelStackSection9", to: func(v *values) any { return &v.labels[8] }, part: partLabels},
	79:  {name: "mplsLabelStackSection10", to: func(v *values) any { return &v.labels[9] }, part: partLabels},
	80:  {name: "destinationMacAddress", to: func(v *values) any { return &v.DstMac }, only: 6},
	81:  {name: "postSourceMacAddress", to: func(v *values) any { return &v.SrcMac }, only: 6, rank: 1},
	82:  {name: "interfaceName", to: func(v *values) any { return &v.interfaceName }, part: partInterface},
	83:  {name: "interfaceDescription", to: func(v *values) any { return &v.interfaceDescription }, part: partInterface},
	85:  {name: "octetTotalCount", to: func(v *values) any { return &v.Bytes }, rank: 2},
	86:  {name: "packetTotalCount", to: func(v *values) any { return &v.Packets }, rank: 2},
	88:  {name: "fragmentOffset", to: func(v *values) any { return &v.FragmentOffset }},
	89:  {name: "forwardingStatus", to: func(v *values) any { return &v.ForwardingStatus }},
	95:  {name: "applicationId", to: func(v *values) any { return &v.ApplicationID }, part: partApplication},
	96:  {name: "applicationName", to: func(v *values) any { return &v.applicationName }, part: partApplication},
	128: {name: "bgpNextAdjacentAsNumber", to: func(v *values) any { return &v.NextHopAS }},
	136: {name: "flowEndReason", to: func(v *values) any { return &v.FlowEndReason }},
	139: {name: "icmpTypeCodeIPv6", to: func(v *values) any { return &v.icmpTypeCode }, rank: 1, part: partICMP},
	150: {name: "flowStartSeconds", to: func(v *values) any { return &v.start.seconds }, part: partClock},
	151: {name: "flowEndSeconds", to: func(v *values) any { return &v.end.seconds }, part: partClock},
	152: {name: "flowStartMilliseconds", to: func(v *values) any { return &v.start.milliseconds }, part: partClock},
	153: {name: "flowEndMilliseconds", to: func(v *values) any { return &v.end.milliseconds }, part: partClock},
	154: {name: "flowStartMicroseconds", to: func(v *values) any { return &v.start.ntp }, only: 8, part: partClock},
	155: {name: "flowEndMicroseconds", to: func(v *values) any { return &v.end.ntp }, only: 8, part: partClock},
	156: {name: "flowStartNanoseconds", to: func(v *values) any { return &v.start.ntp }, only: 8, part: partClock},
	157: {name: "flowEndNanoseconds", to: func(v *values) any { return &v.end.ntp }, only: 8, part: partClock},
	158: {name: "flowStartDeltaMicroseconds", to: func(v *values) any { return &v.start.ago }, part: partClock},
	159: {name: "flowEndDeltaMicroseconds", to: func(v *values) any { return &v.end.ago }, part: partClock},
	160: {name: "systemInitTimeMilliseconds", to: func(v *values) any { return &v.boot }},
	176: {name: "icmpTypeIPv4", to: func(v *values) any { return &v.icmpType }, part: partICMP},
	177: {name: "icmpCodeIPv4", to: func(v *values) any { return &v.icmpCode }, part: partICMP},
	178: {name: "icmpTypeIPv6", to: func(v *values) any { return &v.icmpType }, rank: 1, part: partICMP},
	179: {name: "icmpCodeIPv6", to: func(v *values) any { return &v.icmpCode }, rank: 1, part: partICMP},
	180: {name: "udpSourcePort", to: func(v *values) any { return &v.SrcPort }, rank: 1},
	181: {name: "udpDestinationPort", to: func(v *values) any { return &v.DstPort }, rank: 1},
	182: {name: "tcpSourcePort", to: func(v *values) any { return &v.SrcPort }, rank: 2},
	183: {name: "tcpDestinationPort", to: func(v *values) any { return &v.DstPort }, rank: 2},
	192: {name: "ipTTL", to: func(v *values) any { return &v.IPTTL }},
	195: {name: "ipDiffServCodePoint", to: func(v *values) any { return &v.dscp }, mask: 0x3f, part: partDSCP},
	200: {name: "mplsTopLabelTTL", to: func(v *values) any { return &v.topLabelTTL }, part: partLabels},
	202: {name: "mplsLabelStackDepth", to: func(v *values) any { return &v.labelDepth }, part: partLabels},
	225: {name: "postNATSourceIPv4Address", to: func(v *values) any { return &v.PostNATSrcAddr }},
	226: {name: "postNATDestinationIPv4Address", to: func(v *values) any { return &v.PostNATDstAddr }},
	227: {name: "postNAPTSourceTransportPort", to: func(v *values) any { return &v.PostNATSrcPort }},
	228: {name: "postNAPTDestinationTransportPort", to: func(v *values) any { return &v.PostNATDstPort }},
	230: {name: "natEvent", to: func(v *values) any { return &v.NATEvent }},
	231: {name: "initiatorOctets", to: func(v *values) any { return &v.initiatorOctets }, part: partCounters},
	232: {name: "responderOctets", to: func(v *values) any { return &v.responderOctets }, part: partCounters},
	233: {name: "firewallEvent", to: func(v *values) any { return &v.FirewallEvent }},
	234: {name: "ingressVRFID", to: func(v *values) any { return &v.IngressVrfID }},
	235: {name: "egressVRFID", to: func(v *values) any { return &v.EgressVrfID }},
	239: {name: "biflowDirection", to: func(v *values) any { return &v.BiFlowDirection }},
	243: {name: "dot1qVlanId", to: func(v *values) any { return &v.SrcVlan }, mask: 0x0fff, rank: 1},
	252: {name: "ingressPhysicalInterface", to: func(v *values) any { return &v.InIf }, rank: 1},
	253: {name: "egressPhysicalInterface", to: func(v *values) any { return &v.OutIf }, rank: 1},
	254: {name: "postDot1qVlanId", to: func(v *values) any { return &v.DstVlan }, mask: 0x0fff, rank: 1},
	256: {name: "ethernetType", to: func(v *values) any { return &v.etype }},
	281: {name: "postNATSourceIPv6Address", to: func(v *values) any { return &v.PostNATSrcAddr }, rank: 1},
	282: {name: "postNATDestinationIPv6Address", to: func(v *values) any { return &v.PostNATDstAddr }, rank: 1},
	298: {name: "initiatorPackets", to: func(v *values) any { return &v.initiatorPackets }, part: partCounters},
	299: {name: "responderPackets", to: func(v *values) any { return &v.responderPackets }, part: partCounters},
	302: {name: "selectorId", to: func(v *values) any { return &v.sampler }},
	305: {name: "samplingPacketInterval", to: func(v *values) any { return &v.packetInterval }, part: partRate},
	306: {name: "samplingPacketSpace", to: func(v *values) any { return &v.packetSpace }, part: partRate | partSpace},
	309: {name: "samplingSize", to: func(v *values) any { return &v.sampleSize }, part: partRate},
	310: {name: "samplingPopulation", to: func(v *values) any { return &v.population }, part: partRate},
	312: {name: "dataLinkFrameSize", to: func(v *values) any { return &v.frameSize }, part: partCounters},
	313: {name: "ipHeaderPacketSection", to: func(v *values) any { return &v.packet }, part: partPacket},
	315: {name: "dataLinkFrameSection", to: func(v *values) any { return &v.frame }, part: partPacket},
	322: {name: "observationTimeSeconds", to: func(v *values) any { return &v.observed.seconds }, part: partClock},
	323: {name: "observationTimeMilliseconds", to: func(v *values) any { return &v.observed.milliseconds }, part: partClock},
	324: {name: "observationTimeMicroseconds", to: func(v *values) any { return &v.observed.ntp }, only: 8, part: partClock},
	325: {name: "observationTimeNanoseconds", to: func(v *values) any { return &v.observed.ntp }, only: 8, part: partClock},
	351: {name: "layer2SegmentId", to: func(v *values) any { return &v.segment }, only: 8, part: partSegment},
	352: {name: "layer2OctetDeltaCount", to: func(v *values) any { return &v.layer2Octets }, part: partCounters},
	485: {name: "bgpDestinationCommunityList", to: func(v *values) any { return &v.communityList }, part: partCommunities},
}
