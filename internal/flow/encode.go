package flow

import (
	"encoding/binary"
	"net/netip"

	"google.golang.org/protobuf/encoding/protowire"
)

// MaxEncodedSize bounds what one AppendDelimited adds: every field at its longest
// is 360 bytes, and the length in front of it two.
const MaxEncodedSize = 362

// AppendDelimited appends r as a FlowMessage preceded by its length as a varint,
// which is the framing of ClickHouse's input format Protobuf, and returns the
// extended slice. Fields with their zero value are left out, as proto3 has it.
// It allocates only where b has to grow.
func (r *Record) AppendDelimited(b []byte) []byte {
	// Most messages are longer than 127 bytes or close to it, so two bytes are set
	// aside for the length; a varint may be padded, but a short message is moved
	// instead, to keep the encoding canonical.
	start := len(b)
	b = append(b, 0, 0)
	b = r.appendFields(b)
	size := len(b) - start - 2
	if size < 0x80 {
		b[start] = byte(size)
		copy(b[start+1:], b[start+2:])
		return b[:len(b)-1]
	}
	b[start] = byte(size) | 0x80
	b[start+1] = byte(size >> 7)
	return b
}

// appendFields appends the fields in the order of their numbers.
func (r *Record) appendFields(b []byte) []byte {
	b = appendUint(b, 1, uint64(r.Type))
	b = appendUint(b, 2, r.TimeReceived)
	b = appendUint(b, 3, r.SamplingRate)
	b = appendUint(b, 4, uint64(r.SequenceNum))
	b = appendUint(b, 5, r.TimeFlowEnd)
	b = appendAddr(b, 6, r.SrcAddr)
	b = appendAddr(b, 7, r.DstAddr)
	b = appendUint(b, 9, r.Bytes)
	b = appendUint(b, 10, r.Packets)
	b = appendAddr(b, 11, r.SamplerAddress)
	b = appendAddr(b, 12, r.NextHop)
	b = appendUint(b, 13, uint64(r.NextHopAS))
	b = appendUint(b, 14, uint64(r.SrcAS))
	b = appendUint(b, 15, uint64(r.DstAS))
	b = appendUint(b, 16, uint64(r.SrcNet))
	b = appendUint(b, 17, uint64(r.DstNet))
	b = appendUint(b, 18, uint64(r.InIf))
	b = appendUint(b, 19, uint64(r.OutIf))
	b = appendUint(b, 20, uint64(r.Proto))
	b = appendUint(b, 21, uint64(r.SrcPort))
	b = appendUint(b, 22, uint64(r.DstPort))
	b = appendUint(b, 23, uint64(r.IPTos))
	b = appendUint(b, 24, uint64(r.ForwardingStatus))
	b = appendUint(b, 25, uint64(r.IPTTL))
	b = appendUint(b, 26, uint64(r.TCPFlags))
	b = appendUint(b, 27, r.SrcMac)
	b = appendUint(b, 28, r.DstMac)
	b = appendUint(b, 29, uint64(r.VlanID))
	b = appendUint(b, 30, uint64(r.Etype))
	b = appendUint(b, 31, uint64(r.IcmpType))
	b = appendUint(b, 32, uint64(r.IcmpCode))
	b = appendUint(b, 33, uint64(r.SrcVlan))
	b = appendUint(b, 34, uint64(r.DstVlan))
	b = appendUint(b, 35, uint64(r.FragmentID))
	b = appendUint(b, 36, uint64(r.FragmentOffset))
	b = appendUint(b, 37, uint64(r.IPv6FlowLabel))
	b = appendUint(b, 38, r.TimeFlowStart)
	b = appendUint(b, 39, uint64(r.IngressVrfID))
	b = appendUint(b, 40, uint64(r.EgressVrfID))
	b = appendUint(b, 41, uint64(r.BiFlowDirection))
	b = appendUint(b, 42, uint64(r.FlowDirection))
	return appendUint(b, 1001, uint64(r.SamplingRateSource))
}

func appendUint(b []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field)<<3|uint64(protowire.VarintType))
	return binary.AppendUvarint(b, v)
}

func appendAddr(b []byte, field protowire.Number, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field)<<3|uint64(protowire.BytesType))
	if a.Is4() {
		b = append(b, 4)
		v4 := a.As4()
		return append(b, v4[:]...)
	}
	b = append(b, 16)
	v6 := a.As16()
	return append(b, v6[:]...)
}
