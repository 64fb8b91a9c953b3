package flow_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

func exampleTrace() *flow.Trace {
	return &flow.Trace{
		Time: 1700000000, Kind: pb.Trace_TRACE, Monitor: "ams1", SrcAddr: netip.MustParseAddr("192.0.2.1"), DstAddr: netip.MustParseAddr("2001:db8::7"),
		Method: "udp-paris", StopReason: "completed", List: strings.Repeat("l", 300), ListID: 1, CycleID: 2, UserID: 3, Sent: 4, Replies: 5,
		RTTMin: 6, RTTAvg: 7, RTTMax: 1 << 31,
		HopTTL: []uint32{1, 2}, HopAttempt: []uint32{1, 1}, HopAddress: []netip.Addr{netip.MustParseAddr("192.0.2.2"), {}},
		HopRTT: []uint32{100, 1 << 30}, HopReplyTTL: []uint32{255, 0}, HopICMPType: []uint32{11, 0}, HopICMPCode: []uint32{0, 0},
		MPLSHop: []uint32{1}, MPLSLabel: []uint32{16001},
	}
}

func TestTraceIsEncodedAsProtobufWould(t *testing.T) {
	want := &pb.Trace{
		Time: 1700000000, Kind: pb.Trace_TRACE, Monitor: "ams1", SrcAddr: []byte{192, 0, 2, 1}, DstAddr: netip.MustParseAddr("2001:db8::7").AsSlice(),
		Method: "udp-paris", StopReason: "completed", List: strings.Repeat("l", flow.MaxName), ListID: 1, CycleID: 2, UserID: 3, Sent: 4, Replies: 5,
		RTTMin: 6, RTTAvg: 7, RTTMax: 1 << 31,
		HopTTL: []uint32{1, 2}, HopAttempt: []uint32{1, 1}, HopAddress: [][]byte{{192, 0, 2, 2}, {}},
		HopRTT: []uint32{100, 1 << 30}, HopReplyTTL: []uint32{255, 0}, HopICMPType: []uint32{11, 0}, HopICMPCode: []uint32{0, 0},
		MPLSHop: []uint32{1}, MPLSLabel: []uint32{16001},
	}
	checkEncoding(t, exampleTrace(), want, &pb.Trace{})
	for i := range want.ProtoReflect().Descriptor().Fields().Len() {
		if f := want.ProtoReflect().Descriptor().Fields().Get(i); !want.ProtoReflect().Has(f) {
			t.Errorf("%s is not tried", f.Name())
		}
	}
}

func TestLongestTraceFitsMaxTraceSize(t *testing.T) {
	long := &flow.Trace{}
	for i := range reflect.TypeFor[flow.Trace]().NumField() {
		switch f := reflect.ValueOf(long).Elem().Field(i); {
		case !f.CanSet():
		case f.Type() == reflect.TypeFor[[]uint32]():
			f.Set(reflect.ValueOf(slices.Repeat([]uint32{1<<32 - 1}, 2*flow.MaxHops)))
		case f.Type() == reflect.TypeFor[[]netip.Addr]():
			f.Set(reflect.ValueOf(slices.Repeat([]netip.Addr{netip.MustParseAddr("ffff::")}, 2*flow.MaxHops)))
		case f.Type() == reflect.TypeFor[netip.Addr]():
			f.Set(reflect.ValueOf(netip.MustParseAddr("ffff::")))
		case f.Kind() == reflect.String:
			f.SetString(strings.Repeat("n", 1000))
		case f.CanUint():
			f.SetUint(1<<32 - 1)
		case f.CanInt():
			f.SetInt(2)
		}
	}
	encoded := long.AppendDelimited(nil)
	if len(encoded) > flow.MaxTraceSize {
		t.Errorf("the longest trace has %d bytes, MaxTraceSize says %d", len(encoded), flow.MaxTraceSize)
	}
	var back pb.Trace
	if err := protodelim.UnmarshalFrom(bytes.NewReader(encoded), &back); err != nil || len(back.HopAddress) != flow.MaxHops || len(back.MPLSLabel) != flow.MaxLabels {
		t.Errorf("read back: %d hops, %v", len(back.HopAddress), err)
	}
	long.Reset()
	if got := long.AppendDelimited(nil); !bytes.Equal(got, []byte{0}) {
		t.Errorf("what was reset is encoded as % x", got)
	}
}

func BenchmarkTrace(b *testing.B) {
	trace, buffer := exampleTrace(), make([]byte, 0, flow.MaxTraceSize)
	b.ReportAllocs()
	for b.Loop() {
		buffer = trace.AppendDelimited(buffer[:0])
	}
	b.SetBytes(int64(len(buffer)))
}
