package netflow

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// values are the fields of one record before it is clear which of them count: where
// a record says the same thing twice, resolve decides. Fields that nothing competes
// with are set in record directly.
type values struct {
	record flow.Record

	octets, postOctets, totalOctets    uint64
	initiatorOctets, responderOctets   uint64
	layer2Octets                       uint64
	packets, postPackets, totalPackets uint64
	initiatorPackets, responderPackets uint64

	hasFrame  bool   // the record carries the beginning of a frame
	frameSize uint64 // bytes of that frame when it was whole

	src4, dst4, src6, dst6           netip.Addr
	srcMask4, dstMask4               uint32
	srcMask6, dstMask6               uint32
	next4, bgpNext4, next6, bgpNext6 netip.Addr
	ipVersion, etype                 uint32

	srcPort, udpSrcPort, tcpSrcPort  uint32
	dstPort, udpDstPort, tcpDstPort  uint32
	icmpTypeCode, icmpType, icmpCode uint32
	hasICMP                          bool // one of these was sent
	ttl, minimumTTL                  uint32

	srcMac, postSrcMac, dstMac, postDstMac   uint64
	vlan, dot1qVlan, postVlan, postDot1qVlan uint32
	inIf, physicalInIf, outIf, physicalOutIf uint32

	start, end, boot              uint64 // milliseconds since 1970, 0: not said
	firstUptime, lastUptime       uint32 // milliseconds since the exporter started
	hasFirstUptime, hasLastUptime bool

	selectorID, flowSamplerID         uint64
	samplingInterval, samplerInterval uint64
	packetInterval, packetSpace       uint64
	hasPacketSpace                    bool
	sampleSize, population            uint64
}

func (v *values) reset() { *v = values{} }

// setter stores the value of one information element, which has at least one byte
// and may be shorter or longer than the element's type says.
type setter func(v *values, b []byte)

// setters has a setter for each information element that is read, by its number in
// IANA's registry "IP Flow Information Export (IPFIX) Entities". NetFlow v9 numbers
// them alike.
var setters = [...]setter{
	1:   func(v *values, b []byte) { v.octets = number(b) },                    // octetDeltaCount
	2:   func(v *values, b []byte) { v.packets = number(b) },                   // packetDeltaCount
	4:   func(v *values, b []byte) { v.record.Proto = number32(b) },            // protocolIdentifier
	5:   func(v *values, b []byte) { v.record.IPTos = number32(b) },            // ipClassOfService
	6:   func(v *values, b []byte) { v.record.TCPFlags = tcpFlags(b) },         // tcpControlBits
	7:   func(v *values, b []byte) { v.srcPort = number32(b) },                 // sourceTransportPort
	8:   func(v *values, b []byte) { v.src4 = address(b) },                     // sourceIPv4Address
	9:   func(v *values, b []byte) { v.srcMask4 = number32(b) },                // sourceIPv4PrefixLength
	10:  func(v *values, b []byte) { v.inIf = number32(b) },                    // ingressInterface
	11:  func(v *values, b []byte) { v.dstPort = number32(b) },                 // destinationTransportPort
	12:  func(v *values, b []byte) { v.dst4 = address(b) },                     // destinationIPv4Address
	13:  func(v *values, b []byte) { v.dstMask4 = number32(b) },                // destinationIPv4PrefixLength
	14:  func(v *values, b []byte) { v.outIf = number32(b) },                   // egressInterface
	15:  func(v *values, b []byte) { v.next4 = address(b) },                    // ipNextHopIPv4Address
	16:  func(v *values, b []byte) { v.record.SrcAS = number32(b) },            // bgpSourceAsNumber
	17:  func(v *values, b []byte) { v.record.DstAS = number32(b) },            // bgpDestinationAsNumber
	18:  func(v *values, b []byte) { v.bgpNext4 = address(b) },                 // bgpNextHopIPv4Address
	21:  func(v *values, b []byte) { v.setLastUptime(b) },                      // flowEndSysUpTime
	22:  func(v *values, b []byte) { v.setFirstUptime(b) },                     // flowStartSysUpTime
	23:  func(v *values, b []byte) { v.postOctets = number(b) },                // postOctetDeltaCount, v9: OUT_BYTES
	24:  func(v *values, b []byte) { v.postPackets = number(b) },               // postPacketDeltaCount, v9: OUT_PKTS
	27:  func(v *values, b []byte) { v.src6 = address(b) },                     // sourceIPv6Address
	28:  func(v *values, b []byte) { v.dst6 = address(b) },                     // destinationIPv6Address
	29:  func(v *values, b []byte) { v.srcMask6 = number32(b) },                // sourceIPv6PrefixLength
	30:  func(v *values, b []byte) { v.dstMask6 = number32(b) },                // destinationIPv6PrefixLength
	31:  func(v *values, b []byte) { v.record.IPv6FlowLabel = number32(b) },    // flowLabelIPv6
	32:  func(v *values, b []byte) { v.setICMP(&v.icmpTypeCode, b) },           // icmpTypeCodeIPv4
	34:  func(v *values, b []byte) { v.samplingInterval = number(b) },          // samplingInterval
	48:  func(v *values, b []byte) { v.flowSamplerID = number(b) },             // samplerId
	50:  func(v *values, b []byte) { v.samplerInterval = number(b) },           // samplerRandomInterval
	52:  func(v *values, b []byte) { v.minimumTTL = number32(b) },              // minimumTTL
	54:  func(v *values, b []byte) { v.record.FragmentID = number32(b) },       // fragmentIdentification
	56:  func(v *values, b []byte) { v.srcMac = mac(b) },                       // sourceMacAddress
	57:  func(v *values, b []byte) { v.postDstMac = mac(b) },                   // postDestinationMacAddress
	58:  func(v *values, b []byte) { v.vlan = vlan(b) },                        // vlanId
	59:  func(v *values, b []byte) { v.postVlan = vlan(b) },                    // postVlanId
	60:  func(v *values, b []byte) { v.ipVersion = number32(b) },               // ipVersion
	61:  func(v *values, b []byte) { v.record.FlowDirection = number32(b) },    // flowDirection
	62:  func(v *values, b []byte) { v.next6 = address(b) },                    // ipNextHopIPv6Address
	63:  func(v *values, b []byte) { v.bgpNext6 = address(b) },                 // bgpNextHopIPv6Address
	80:  func(v *values, b []byte) { v.dstMac = mac(b) },                       // destinationMacAddress
	81:  func(v *values, b []byte) { v.postSrcMac = mac(b) },                   // postSourceMacAddress
	85:  func(v *values, b []byte) { v.totalOctets = number(b) },               // octetTotalCount
	86:  func(v *values, b []byte) { v.totalPackets = number(b) },              // packetTotalCount
	88:  func(v *values, b []byte) { v.record.FragmentOffset = number32(b) },   // fragmentOffset
	89:  func(v *values, b []byte) { v.record.ForwardingStatus = number32(b) }, // forwardingStatus
	128: func(v *values, b []byte) { v.record.NextHopAS = number32(b) },        // bgpNextAdjacentAsNumber
	139: func(v *values, b []byte) { v.setICMP(&v.icmpTypeCode, b) },           // icmpTypeCodeIPv6
	150: func(v *values, b []byte) { v.start = number(b) * 1000 },              // flowStartSeconds
	151: func(v *values, b []byte) { v.end = number(b) * 1000 },                // flowEndSeconds
	152: func(v *values, b []byte) { v.start = number(b) },                     // flowStartMilliseconds
	153: func(v *values, b []byte) { v.end = number(b) },                       // flowEndMilliseconds
	154: func(v *values, b []byte) { v.start = ntpMilliseconds(b) },            // flowStartMicroseconds
	155: func(v *values, b []byte) { v.end = ntpMilliseconds(b) },              // flowEndMicroseconds
	156: func(v *values, b []byte) { v.start = ntpMilliseconds(b) },            // flowStartNanoseconds
	157: func(v *values, b []byte) { v.end = ntpMilliseconds(b) },              // flowEndNanoseconds
	160: func(v *values, b []byte) { v.boot = number(b) },                      // systemInitTimeMilliseconds
	176: func(v *values, b []byte) { v.setICMP(&v.icmpType, b) },               // icmpTypeIPv4
	177: func(v *values, b []byte) { v.setICMP(&v.icmpCode, b) },               // icmpCodeIPv4
	178: func(v *values, b []byte) { v.setICMP(&v.icmpType, b) },               // icmpTypeIPv6
	179: func(v *values, b []byte) { v.setICMP(&v.icmpCode, b) },               // icmpCodeIPv6
	180: func(v *values, b []byte) { v.udpSrcPort = number32(b) },              // udpSourcePort
	181: func(v *values, b []byte) { v.udpDstPort = number32(b) },              // udpDestinationPort
	182: func(v *values, b []byte) { v.tcpSrcPort = number32(b) },              // tcpSourcePort
	183: func(v *values, b []byte) { v.tcpDstPort = number32(b) },              // tcpDestinationPort
	192: func(v *values, b []byte) { v.ttl = number32(b) },                     // ipTTL
	231: func(v *values, b []byte) { v.initiatorOctets = number(b) },           // initiatorOctets
	232: func(v *values, b []byte) { v.responderOctets = number(b) },           // responderOctets
	234: func(v *values, b []byte) { v.record.IngressVrfID = number32(b) },     // ingressVRFID
	235: func(v *values, b []byte) { v.record.EgressVrfID = number32(b) },      // egressVRFID
	239: func(v *values, b []byte) { v.record.BiFlowDirection = number32(b) },  // biflowDirection
	243: func(v *values, b []byte) { v.dot1qVlan = vlan(b) },                   // dot1qVlanId
	252: func(v *values, b []byte) { v.physicalInIf = number32(b) },            // ingressPhysicalInterface
	253: func(v *values, b []byte) { v.physicalOutIf = number32(b) },           // egressPhysicalInterface
	254: func(v *values, b []byte) { v.postDot1qVlan = vlan(b) },               // postDot1qVlanId
	256: func(v *values, b []byte) { v.etype = number32(b) },                   // ethernetType
	298: func(v *values, b []byte) { v.initiatorPackets = number(b) },          // initiatorPackets
	299: func(v *values, b []byte) { v.responderPackets = number(b) },          // responderPackets
	302: func(v *values, b []byte) { v.selectorID = number(b) },                // selectorId
	305: func(v *values, b []byte) { v.packetInterval = number(b) },            // samplingPacketInterval
	306: func(v *values, b []byte) { v.setPacketSpace(b) },                     // samplingPacketSpace
	309: func(v *values, b []byte) { v.sampleSize = number(b) },                // samplingSize
	310: func(v *values, b []byte) { v.population = number(b) },                // samplingPopulation
	312: func(v *values, b []byte) { v.frameSize = number(b) },                 // dataLinkFrameSize
	315: func(v *values, b []byte) { v.setFrame(b) },                           // dataLinkFrameSection
	352: func(v *values, b []byte) { v.layer2Octets = number(b) },              // layer2OctetDeltaCount
}

func (v *values) setFirstUptime(b []byte) { v.firstUptime, v.hasFirstUptime = number32(b), true }
func (v *values) setLastUptime(b []byte)  { v.lastUptime, v.hasLastUptime = number32(b), true }
func (v *values) setPacketSpace(b []byte) { v.packetSpace, v.hasPacketSpace = number(b), true }

// setICMP keeps what another field has said where this one is 0: templates for both
// families have the elements of both, and leave those of the other one 0.
func (v *values) setICMP(to *uint32, b []byte) { *to, v.hasICMP = cmp.Or(number32(b), *to), true }

// setFrame reads the beginning of an observed Ethernet frame (RFC 7133 section 2.1).
func (v *values) setFrame(b []byte) {
	packet.Ethernet(b, &v.record)
	v.hasFrame = true
}

// number reads an unsigned integer of any width up to 8 bytes: exporters may leave
// out leading zero bytes (RFC 7011 section 6.2). Wider ones are no numbers, and 0.
func number(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	}
	if len(b) > 8 {
		return 0
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// number32 reads an unsigned integer of at most 32 significant bits.
func number32(b []byte) uint32 { return uint32(number(b)) }

// tcpFlags reads the flags of TCP. The four bits in front of them in the header are its
// length: they are ignored where they are sent (RFC 7125 section 3).
func tcpFlags(b []byte) uint32 { return number32(b) & 0x0fff }

// vlan reads a VLAN id. Some exporters send the whole tag with its priority bits.
func vlan(b []byte) uint32 { return number32(b) & 0x0fff }

// mac reads a MAC address; 0 if it is not six bytes.
func mac(b []byte) uint64 {
	if len(b) != 6 {
		return 0
	}
	return packet.MAC([6]byte(b))
}

// address reads an IP address, whose kind is what its length says; the zero Addr
// if that is neither 4 nor 16.
func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}
