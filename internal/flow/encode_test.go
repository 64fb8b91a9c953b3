package flow_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fieldOf names the FlowMessage field of a Record field: they are spelt alike but
// for Go's initialisms.
func fieldOf(recordField string) protoreflect.FieldDescriptor {
	fields := (&pb.FlowMessage{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if strings.EqualFold(string(fields.Get(i).Name()), recordField) {
			return fields.Get(i)
		}
	}
	return nil
}

// message converts a Record to a FlowMessage by way of reflection over both, which
// knows nothing of the encoder under test.
func message(t testing.TB, r *flow.Record) *pb.FlowMessage {
	t.Helper()
	m := &pb.FlowMessage{}
	record := reflect.ValueOf(r).Elem()
	for i := range record.NumField() {
		name := record.Type().Field(i).Name
		field := fieldOf(name)
		if field == nil {
			t.Fatalf("Record.%s has no field in FlowMessage", name)
		}
		var value protoreflect.Value
		switch v := record.Field(i).Interface().(type) {
		case netip.Addr:
			value = protoreflect.ValueOfBytes(v.AsSlice())
		case uint32:
			value = protoreflect.ValueOfUint32(v)
		case uint64:
			value = protoreflect.ValueOfUint64(v)
		case protoreflect.Enum:
			value = protoreflect.ValueOfEnum(v.Number())
		default:
			t.Fatalf("Record.%s is of a type that this test does not know", name)
		}
		m.ProtoReflect().Set(field, value)
	}
	return m
}

// fill sets every field of a Record from random.
func fill(random *rand.Rand) flow.Record {
	var r flow.Record
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		switch field.Interface().(type) {
		case netip.Addr:
			address := make([]byte, []int{4, 16}[random.IntN(2)])
			for j := range address {
				address[j] = byte(random.Uint32())
			}
			a, _ := netip.AddrFromSlice(address)
			field.Set(reflect.ValueOf(a))
		case uint32:
			field.SetUint(uint64(random.Uint32() >> random.IntN(32)))
		case uint64:
			field.SetUint(random.Uint64() >> random.IntN(64))
		case protoreflect.Enum:
			field.SetInt(int64(random.IntN(5)))
		}
	}
	return r
}

func TestEncodingIsWhatProtobufItselfWouldWrite(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		record := fill(random)
		want := message(t, &record)
		encoded := record.AppendDelimited([]byte("kept"))
		if !bytes.HasPrefix(encoded, []byte("kept")) {
			t.Fatal("what was in the buffer before is gone")
		}
		encoded = encoded[len("kept"):]
		if len(encoded) > flow.MaxEncodedSize {
			t.Fatalf("encoded to %d bytes, MaxEncodedSize says %d", len(encoded), flow.MaxEncodedSize)
		}
		got := &pb.FlowMessage{}
		if err := protodelim.UnmarshalFrom(bytes.NewReader(encoded), got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("decoded differs (-want +got):\n%s", diff)
		}
		var canonical bytes.Buffer
		if _, err := protodelim.MarshalTo(&canonical, want); err != nil {
			t.Fatal(err)
		}
		if canonical.Len() != len(encoded) {
			t.Fatalf("encoded to %d bytes, protobuf itself needs %d", len(encoded), canonical.Len())
		}
	}
}

func TestLongestRecordFitsMaxEncodedSize(t *testing.T) {
	var r flow.Record
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case netip.Addr:
			field.Set(reflect.ValueOf(netip.MustParseAddr("ffff::ffff")))
		case uint32:
			field.SetUint(1<<32 - 1)
		case uint64:
			field.SetUint(1<<64 - 1)
		case protoreflect.Enum:
			field.SetInt(4)
		}
	}
	if got := len(r.AppendDelimited(nil)); got != flow.MaxEncodedSize {
		t.Errorf("the longest record has %d bytes, MaxEncodedSize says %d", got, flow.MaxEncodedSize)
	}
}

func TestEveryFieldOfTheMessageIsInTheRecordOrTunnelRelated(t *testing.T) {
	record := map[string]bool{}
	typ := reflect.TypeFor[flow.Record]()
	for i := range typ.NumField() {
		record[strings.ToLower(typ.Field(i).Name)] = true
	}
	fields := (&pb.FlowMessage{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if n := field.Number(); n >= 43 && n <= 64 { // inner packets of tunnels, MPLS, PPP: no decoder fills them
			continue
		}
		if !record[strings.ToLower(string(field.Name()))] {
			t.Errorf("FlowMessage.%s has no field in Record", field.Name())
		}
	}
}

func example() flow.Record {
	return flow.Record{
		Type: pb.FlowMessage_SFLOW_5, TimeReceived: 1700000000, SequenceNum: 7,
		SamplingRate: 2000, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
		SamplerAddress: netip.MustParseAddr("192.0.2.1"),
		TimeFlowStart:  1700000000, TimeFlowEnd: 1700000000,
		Bytes: 1500, Packets: 1,
		SrcAddr: netip.MustParseAddr("2001:db8::"), DstAddr: netip.MustParseAddr("198.51.100.7"),
		Etype: 0x86dd, Proto: 6, SrcPort: 443, DstPort: 51000,
		InIf: 3, OutIf: 4, SrcMac: 0x0200_0000_0001, TCPFlags: 0x12, SrcAS: 64500, DstAS: 4200000000,
	}
}

func TestEncodingMatchesGoldenBytes(t *testing.T) {
	record := example()
	got := hex.EncodeToString(record.AppendDelimited(nil)) + "\n"
	const golden = "testdata/example.hex"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

func TestShortMessageHasALengthOfOneByte(t *testing.T) {
	record := flow.Record{Bytes: 1}
	if got, want := record.AppendDelimited(nil), []byte{2, 9 << 3, 1}; !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

func BenchmarkAppendDelimited(b *testing.B) {
	record := example()
	buffer := make([]byte, 0, flow.MaxEncodedSize)
	b.ReportAllocs()
	for b.Loop() {
		buffer = record.AppendDelimited(buffer[:0])
	}
	b.SetBytes(int64(len(buffer)))
}

func TestEncodingAllocatesNothing(t *testing.T) {
	record := example()
	buffer := make([]byte, 0, flow.MaxEncodedSize)
	if n := testing.AllocsPerRun(100, func() { buffer = record.AppendDelimited(buffer[:0]) }); n != 0 {
		t.Errorf("%v allocations per record", n)
	}
}
