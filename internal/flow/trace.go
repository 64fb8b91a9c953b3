package flow

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/leoluk/NetMeta/pb"
)

// Bounds of a Trace: what is beyond them is not encoded.
const (
	MaxHops   = 1024 // replies
	MaxLabels = 1024 // of MPLS, of all hops together

	// MaxTraceSize bounds what AppendDelimited of a Trace adds: 18 bytes for the address
	// of a hop, 5 for each of six numbers, and twice 5 for a label.
	MaxTraceSize = 64 << 10
)

// Trace is a measured path. Field for field it is pb.Trace, whose comments give units and
// sources. All slices that begin with Hop have the same length.
type Trace struct {
	Time                     uint64 // seconds since 1970-01-01 UTC
	Kind                     pb.Trace_Measurement
	Monitor                  string // at most MaxName bytes of texts are encoded
	SrcAddr, DstAddr         netip.Addr
	Method, StopReason, List string
	ListID, CycleID, UserID  uint32
	Sent, Replies            uint32
	RTTMin, RTTAvg, RTTMax   uint32 // microseconds

	HopTTL, HopAttempt                    []uint32
	HopAddress                            []netip.Addr
	HopRTT                                []uint32 // microseconds
	HopReplyTTL, HopICMPType, HopICMPCode []uint32
	MPLSHop, MPLSLabel                    []uint32

	encoded []byte
}

// Reset empties the trace and keeps its memory.
func (t *Trace) Reset() {
	*t = Trace{
		HopTTL: t.HopTTL[:0], HopAttempt: t.HopAttempt[:0], HopAddress: t.HopAddress[:0], HopRTT: t.HopRTT[:0],
		HopReplyTTL: t.HopReplyTTL[:0], HopICMPType: t.HopICMPType[:0], HopICMPCode: t.HopICMPCode[:0],
		MPLSHop: t.MPLSHop[:0], MPLSLabel: t.MPLSLabel[:0], encoded: t.encoded,
	}
}

// AppendDelimited implements [Message].
func (t *Trace) AppendDelimited(b []byte) []byte {
	t.encoded = t.encode(slices.Grow(t.encoded[:0], 256))
	b = binary.AppendUvarint(b, uint64(len(t.encoded)))
	return append(b, t.encoded...)
}

func (t *Trace) encode(b []byte) []byte {
	b = appendNumber(b, 1, t.Time)
	b = appendNumber(b, 2, uint64(t.Kind))
	b = appendText(b, 3, t.Monitor)
	b = appendAddress(b, 4, t.SrcAddr)
	b = appendAddress(b, 5, t.DstAddr)
	b = appendText(b, 6, t.Method)
	b = appendText(b, 7, t.StopReason)
	b = appendText(b, 8, t.List)
	for i, n := range [...]uint32{t.ListID, t.CycleID, t.UserID, t.Sent, t.Replies, t.RTTMin, t.RTTAvg, t.RTTMax} {
		b = appendNumber(b, uint64(9+i), uint64(n))
	}
	b = appendPacked(b, 20, t.HopTTL, MaxHops)
	b = appendPacked(b, 21, t.HopAttempt, MaxHops)
	for _, a := range t.HopAddress[:min(len(t.HopAddress), MaxHops)] {
		b = appendElement(b, 22, a)
	}
	b = appendPacked(b, 23, t.HopRTT, MaxHops)
	b = appendPacked(b, 24, t.HopReplyTTL, MaxHops)
	b = appendPacked(b, 25, t.HopICMPType, MaxHops)
	b = appendPacked(b, 26, t.HopICMPCode, MaxHops)
	b = appendPacked(b, 27, t.MPLSHop, MaxLabels)
	return appendPacked(b, 28, t.MPLSLabel, MaxLabels)
}

func appendAddress(b []byte, number uint64, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	return appendElement(b, number, a)
}

// appendElement writes an address also where it is empty, as repeated fields need it.
func appendElement(b []byte, number uint64, a netip.Addr) []byte {
	b = binary.AppendUvarint(b, number<<3|wireBytes)
	switch {
	case a.Is4():
		v4 := a.As4()
		return append(append(b, 4), v4[:]...)
	case a.Is6():
		v6 := a.As16()
		return append(append(b, 16), v6[:]...)
	}
	return append(b, 0)
}

// appendPacked writes repeated numbers as one field, at most so many.
func appendPacked(b []byte, number uint64, numbers []uint32, most int) []byte {
	numbers = numbers[:min(len(numbers), most)]
	if len(numbers) == 0 {
		return b
	}
	size := 0
	for _, n := range numbers {
		size += varints[bits.Len32(n)].size
	}
	b = binary.AppendUvarint(b, number<<3|wireBytes)
	b = binary.AppendUvarint(b, uint64(size))
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}
