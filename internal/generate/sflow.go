package generate

import (
	"encoding/binary"
	"net/netip"
)

// Formats of sFlow version 5 (sflow.org, "sFlow Version 5", section 5) and lengths in bytes.
const (
	flowSample         = 1
	expandedFlowSample = 3
	rawPacketHeader    = 1
	extendedSwitch     = 1001
	extendedRouter     = 1002
	extendedGateway    = 1003

	sflowHeaderMost = 40  // of a datagram from an IPv6 agent
	sflowSampleMost = 344 // expanded, IPv6 next hop, a full sampled header and the longest path

	headerEthernet = 1 // header_protocol
	asSequence     = 2 // of an AS path segment
)

// sflowEncoder writes sFlow version 5: one flow sample per packet with its header and
// what switching, routing and BGP know about it, and now and then interface counters.
type sflowEncoder struct {
	profile  *profile
	boot     int64
	sequence uint32
	sources  [9]struct{ sequence, pool uint32 } // by ifIndex
	counters [9]interfaceCounters               // by ifIndex
	header   int
	count    uint32
	buf      []byte
}

func newSFlowEncoder(p *profile, boot int64) *sflowEncoder {
	e := &sflowEncoder{profile: p, boot: boot, buf: make([]byte, 0, maxDatagram)}
	e.header = len(e.appendHeader(nil, boot, 0))
	e.buf = e.buf[:e.header]
	return e
}

func (e *sflowEncoder) room() bool { return len(e.buf)+sflowSampleMost <= maxDatagram }

// announcement returns a datagram with the counters of all interfaces.
func (e *sflowEncoder) announcement(now int64) []byte {
	interfaces := Interfaces()
	e.sequence++
	b := e.appendHeader(make([]byte, 0, maxDatagram), now, uint32(len(interfaces)))
	for _, i := range interfaces {
		b = appendCounterSample(b, i, &e.counters[i.Index])
	}
	return b
}

func (e *sflowEncoder) datagram(now int64) []byte {
	e.sequence++
	e.appendHeader(e.buf[:0], now, e.count)
	complete := e.buf
	e.buf, e.count = e.buf[:e.header], 0
	return complete
}

// appendHeader appends what stands in front of so many samples.
func (e *sflowEncoder) appendHeader(b []byte, now int64, samples uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, 5)
	b = appendSFlowAddress(b, e.profile.address)
	b = binary.BigEndian.AppendUint32(b, e.profile.number)
	b = binary.BigEndian.AppendUint32(b, e.sequence)
	b = binary.BigEndian.AppendUint32(b, uint32(now-e.boot))
	return binary.BigEndian.AppendUint32(b, samples)
}

func (e *sflowEncoder) add(o *observation, _ int64) {
	source := &e.sources[o.edge()]
	source.sequence++
	source.pool += uint32(o.SamplingRate)
	e.counters[o.InIf].in.count(o)
	e.counters[o.OutIf].out.count(o)

	b := e.buf
	format := uint32(flowSample)
	if e.profile.expanded {
		format = expandedFlowSample
	}
	b = binary.BigEndian.AppendUint32(b, format)
	b = append(b, 0, 0, 0, 0)
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, source.sequence)
	if e.profile.expanded {
		b = append(b, 0, 0, 0, 0) // source id type: ifIndex
	}
	b = binary.BigEndian.AppendUint32(b, o.edge())
	b = binary.BigEndian.AppendUint32(b, uint32(o.SamplingRate))
	b = binary.BigEndian.AppendUint32(b, source.pool)
	b = append(b, 0, 0, 0, 0) // drops
	b = e.appendPort(b, o.InIf)
	b = e.appendPort(b, o.OutIf)
	const records = 4
	b = binary.BigEndian.AppendUint32(b, records)
	b = appendRawHeader(b, o)
	b = appendSwitch(b, o)
	b = appendRouter(b, o)
	b = appendGateway(b, o)
	binary.BigEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	e.buf = b
	e.count++
}

// appendPort appends an interface: its format, a single ifIndex, is zero and takes a
// word of its own in expanded samples.
func (e *sflowEncoder) appendPort(b []byte, ifIndex uint32) []byte {
	if e.profile.expanded {
		b = append(b, 0, 0, 0, 0)
	}
	return binary.BigEndian.AppendUint32(b, ifIndex)
}

func appendRawHeader(b []byte, o *observation) []byte {
	captured := o.capturedLength()
	padded := (captured + 3) &^ 3
	b = binary.BigEndian.AppendUint32(b, rawPacketHeader)
	b = binary.BigEndian.AppendUint32(b, 16+padded)
	b = binary.BigEndian.AppendUint32(b, headerEthernet)
	b = binary.BigEndian.AppendUint32(b, o.frameLength())
	b = binary.BigEndian.AppendUint32(b, frameCheckSequence) // stripped
	b = binary.BigEndian.AppendUint32(b, captured)
	start := len(b)
	b = appendFrame(b, o)
	// What the packet holds behind its headers is nobody's business: zeros.
	var zeros [128]byte
	b = append(b, zeros[:start+int(captured)-len(b)]...)
	return append(b, zeros[:padded-captured]...)
}

func appendSwitch(b []byte, o *observation) []byte {
	b = binary.BigEndian.AppendUint32(b, extendedSwitch)
	b = binary.BigEndian.AppendUint32(b, 16)
	b = binary.BigEndian.AppendUint32(b, o.SrcVlan)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, o.DstVlan)
	return binary.BigEndian.AppendUint32(b, 0)
}

func appendRouter(b []byte, o *observation) []byte {
	b = binary.BigEndian.AppendUint32(b, extendedRouter)
	b = append(b, 0, 0, 0, 0)
	start := len(b)
	b = appendSFlowAddress(b, o.NextHop)
	b = binary.BigEndian.AppendUint32(b, o.SrcNet)
	b = binary.BigEndian.AppendUint32(b, o.DstNet)
	binary.BigEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

func appendGateway(b []byte, o *observation) []byte {
	b = binary.BigEndian.AppendUint32(b, extendedGateway)
	b = append(b, 0, 0, 0, 0)
	start := len(b)
	b = appendSFlowAddress(b, o.BGPNextHop)
	b = binary.BigEndian.AppendUint32(b, ownAS)
	b = binary.BigEndian.AppendUint32(b, o.SrcAS)
	b = binary.BigEndian.AppendUint32(b, o.peerAS)
	b = binary.BigEndian.AppendUint32(b, 1) // segments
	b = binary.BigEndian.AppendUint32(b, asSequence)
	b = appendWords(b, o.ASPath)
	b = appendWords(b, o.Communities)
	b = binary.BigEndian.AppendUint32(b, 100) // local preference
	binary.BigEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

// appendWords appends how many words there are, and the words.
func appendWords(b []byte, words []uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(words)))
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// appendSFlowAddress appends an address and in front of it its type: 1 IPv4, 2 IPv6.
func appendSFlowAddress(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		v4 := a.As4()
		b = binary.BigEndian.AppendUint32(b, 1)
		return append(b, v4[:]...)
	}
	v6 := a.As16()
	b = binary.BigEndian.AppendUint32(b, 2)
	return append(b, v6[:]...)
}
