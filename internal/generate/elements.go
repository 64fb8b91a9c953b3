package generate

import "encoding/binary"

// element is one field of a template and how its value is written. Templates and data
// records are both made from it. Numbers are those of IANA "IPFIX Information
// Elements", which NetFlow v9's field types agree with.
type element struct {
	id, length uint16
	put        func(b []byte, o *observation, t timing)
}

// timing is when a flow began and ended: milliseconds since boot in v9, Unix
// milliseconds in IPFIX.
type timing struct{ first, last uint64 }

// Identifiers of options fields.
const (
	scopeSystem = 1 // NetFlow v9 (RFC 3954 section 6.1); its options fields share numbers with IPFIX

	samplingInterval       = 34
	samplingAlgorithm      = 35
	flowSamplerID          = 48
	flowSamplerMode        = 49
	flowSamplerInterval    = 50
	observationDomainID    = 149
	selectorID             = 302
	selectorAlgorithm      = 304
	samplingPacketInterval = 305
	samplingPacketSpace    = 306
)

func put8(value func(*observation) uint32) func([]byte, *observation, timing) {
	return func(b []byte, o *observation, _ timing) { b[0] = byte(value(o)) }
}

func put16(value func(*observation) uint32) func([]byte, *observation, timing) {
	return func(b []byte, o *observation, _ timing) { binary.BigEndian.PutUint16(b, uint16(value(o))) }
}

func put32(value func(*observation) uint32) func([]byte, *observation, timing) {
	return func(b []byte, o *observation, _ timing) { binary.BigEndian.PutUint32(b, value(o)) }
}

func icmpTypeCode(o *observation) uint32 { return o.IcmpType<<8 | o.IcmpCode }

// commonElements are in every data template.
var commonElements = []element{
	{10, 4, put32(func(o *observation) uint32 { return o.InIf })},
	{14, 4, put32(func(o *observation) uint32 { return o.OutIf })},
	{7, 2, put16(func(o *observation) uint32 { return o.SrcPort })},
	{11, 2, put16(func(o *observation) uint32 { return o.DstPort })},
	{16, 4, put32(func(o *observation) uint32 { return o.SrcAS })},
	{17, 4, put32(func(o *observation) uint32 { return o.DstAS })},
	{128, 4, put32(func(o *observation) uint32 { return o.NextHopAS })},
	{4, 1, put8(func(o *observation) uint32 { return o.Proto })},
	{5, 1, put8(func(o *observation) uint32 { return o.IPTos })},
	{6, 1, put8(func(o *observation) uint32 { return o.TCPFlags })},
	{192, 1, put8(func(o *observation) uint32 { return o.IPTTL })},
	{61, 1, put8(func(o *observation) uint32 { return o.FlowDirection })},
	{89, 1, put8(func(o *observation) uint32 { return o.ForwardingStatus })},
}

var ipv4Elements = []element{
	{8, 4, func(b []byte, o *observation, _ timing) { a := o.SrcAddr.As4(); copy(b, a[:]) }},
	{12, 4, func(b []byte, o *observation, _ timing) { a := o.DstAddr.As4(); copy(b, a[:]) }},
	{15, 4, func(b []byte, o *observation, _ timing) { a := o.NextHop.As4(); copy(b, a[:]) }},
	{9, 1, put8(func(o *observation) uint32 { return o.SrcNet })},
	{13, 1, put8(func(o *observation) uint32 { return o.DstNet })},
	{32, 2, put16(icmpTypeCode)},
}

var ipv6Elements = []element{
	{27, 16, func(b []byte, o *observation, _ timing) { a := o.SrcAddr.As16(); copy(b, a[:]) }},
	{28, 16, func(b []byte, o *observation, _ timing) { a := o.DstAddr.As16(); copy(b, a[:]) }},
	{62, 16, func(b []byte, o *observation, _ timing) { a := o.NextHop.As16(); copy(b, a[:]) }},
	{29, 1, put8(func(o *observation) uint32 { return o.SrcNet })},
	{30, 1, put8(func(o *observation) uint32 { return o.DstNet })},
	{139, 2, put16(icmpTypeCode)},
	{31, 4, put32(func(o *observation) uint32 { return o.IPv6FlowLabel })},
}

// netflow9Elements has counters of four bytes and times since boot.
var netflow9Elements = []element{
	{2, 4, put32(func(o *observation) uint32 { return uint32(o.Packets) })},
	{1, 4, put32(func(o *observation) uint32 { return uint32(o.Bytes) })},
	{22, 4, func(b []byte, _ *observation, t timing) { binary.BigEndian.PutUint32(b, uint32(t.first)) }},
	{21, 4, func(b []byte, _ *observation, t timing) { binary.BigEndian.PutUint32(b, uint32(t.last)) }},
}

// ipfixElements has counters of eight bytes and absolute times.
var ipfixElements = []element{
	{2, 8, func(b []byte, o *observation, _ timing) { binary.BigEndian.PutUint64(b, o.Packets) }},
	{1, 8, func(b []byte, o *observation, _ timing) { binary.BigEndian.PutUint64(b, o.Bytes) }},
	{152, 8, func(b []byte, _ *observation, t timing) { binary.BigEndian.PutUint64(b, t.first) }},
	{153, 8, func(b []byte, _ *observation, t timing) { binary.BigEndian.PutUint64(b, t.last) }},
}

// samplerElement names the sampler of a record, in fewer bytes than the options data
// does, as real exporters do (RFC 7011 section 6.2).
func samplerElement(p *profile) element {
	if p.protocol == NetFlow9 {
		return element{flowSamplerID, 1, put8(p.sampler)}
	}
	return element{selectorID, 4, put32(p.sampler)}
}

// dataElements returns the fields of p's data records of one address family.
func (p *profile) dataElements(family []element) []element {
	elements := append([]element(nil), family...)
	if p.protocol == NetFlow9 {
		elements = append(elements, netflow9Elements...)
	} else {
		elements = append(elements, ipfixElements...)
	}
	elements = append(elements, commonElements...)
	if p.twoSamplers {
		elements = append(elements, samplerElement(p))
	}
	return elements
}
