package netflow

import (
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
)

// values are what one record says of one direction of its flow. What a single element
// says is in Record at once; the fields below wait for resolve, because they mean
// something only together.
type values struct {
	flow.Record
	parts part // what records of this template have

	src4, dst4, src6, dst6 netip.Addr
	srcMask4, dstMask4     uint32
	srcMask6, dstMask6     uint32
	nextHop                netip.Addr
	dscp                   uint32
	ipVersion, etype       uint32

	icmpTypeCode, icmpType, icmpCode uint32

	start, end, observed    moment
	boot                    uint64 // milliseconds since 1970, 0: not said
	firstUptime, lastUptime uint32 // milliseconds since the exporter started

	sampler                     uint64
	samplingInterval            uint64
	packetInterval, packetSpace uint64
	sampleSize, population      uint64

	initiatorOctets, responderOctets   uint64
	initiatorPackets, responderPackets uint64
	layer2Octets, frameSize            uint64

	labels                  [maxLabels]uint32 // of three bytes, as they stand in the packet
	topLabelTTL, labelDepth uint32
	segment                 uint64

	// These are parts of the datagram.
	frame, packet   []byte // the beginning of an observed Ethernet frame or IP packet
	applicationName []byte
	communityList   []byte

	interfaceName, interfaceDescription []byte
}

// moment is a time in one of the forms in which a clock is read, 0 in the others.
type moment struct {
	seconds, milliseconds uint64 // since 1970
	ntp                   uint64 // see ntpMilliseconds
	ago                   uint64 // microseconds before the message was exported
}
