package flow_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fieldOf names the field of a message that holds a field of ours: they are spelt
// alike but for Go's initialisms.
func fieldOf(message proto.Message, ours string) protoreflect.FieldDescriptor {
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if strings.EqualFold(string(fields.Get(i).Name()), ours) {
			return fields.Get(i)
		}
	}
	return nil
}

// leaves are the fields of a Record or Counters, those of embedded structs among them.
func leaves(pointer any) (fields []reflect.StructField, values []reflect.Value) {
	v := reflect.ValueOf(pointer).Elem()
	for _, field := range reflect.VisibleFields(v.Type()) {
		if !field.Anonymous {
			fields, values = append(fields, field), append(values, v.FieldByIndex(field.Index))
		}
	}
	return fields, values
}

// convert copies a Record or Counters into its message by way of reflection over both,
// which knows nothing of the encoder under test.
func convert(t testing.TB, ours any, into proto.Message) {
	t.Helper()
	m := into.ProtoReflect()
	fields, values := leaves(ours)
	for i, f := range fields {
		field := fieldOf(into, f.Name)
		if field == nil {
			t.Fatalf("%s has no field in %s", f.Name, m.Descriptor().Name())
		}
		switch v := values[i].Interface().(type) {
		case netip.Addr:
			m.Set(field, protoreflect.ValueOfBytes(v.AsSlice()))
		case []uint32:
			list := m.Mutable(field).List()
			for _, n := range v {
				list.Append(protoreflect.ValueOfUint32(n))
			}
		case protoreflect.Enum:
			m.Set(field, protoreflect.ValueOfEnum(v.Number()))
		case uint32, uint64, bool, string:
			m.Set(field, protoreflect.ValueOf(v))
		default:
			t.Fatalf("%s is of a type that this test does not know", f.Name)
		}
	}
}

func message(t testing.TB, r *flow.Record) *pb.FlowMessage {
	t.Helper()
	m := &pb.FlowMessage{}
	convert(t, r, m)
	return m
}

// fill sets every field of a Record or Counters from random.
func fill(random *rand.Rand, ours any) {
	_, values := leaves(ours)
	for _, field := range values {
		switch field.Interface().(type) {
		case netip.Addr:
			address := make([]byte, []int{4, 16}[random.IntN(2)])
			for j := range address {
				address[j] = byte(random.Uint32())
			}
			a, _ := netip.AddrFromSlice(address)
			field.Set(reflect.ValueOf(a))
		case []uint32:
			numbers := make([]uint32, random.IntN(flow.MaxASPath))
			for i := range numbers {
				numbers[i] = random.Uint32() >> random.IntN(32)
			}
			field.Set(reflect.ValueOf(numbers))
		case protoreflect.Enum:
			field.SetInt(int64(random.IntN(5)))
		case uint32:
			field.SetUint(uint64(random.Uint32() >> random.IntN(32)))
		case uint64:
			field.SetUint(random.Uint64() >> random.IntN(64))
		case bool:
			field.SetBool(true)
		case string:
			field.SetString(strings.Repeat("n", random.IntN(flow.MaxName)))
		}
	}
}

// fillLongest sets every field of a Record or Counters to what takes most bytes, and
// beyond where that is cut off.
func fillLongest(ours any) {
	_, values := leaves(ours)
	for _, field := range values {
		switch field.Interface().(type) {
		case netip.Addr:
			field.Set(reflect.ValueOf(netip.MustParseAddr("ffff::ffff")))
		case []uint32:
			field.Set(reflect.ValueOf(slices.Repeat([]uint32{1<<32 - 1}, flow.MaxASPath+1)))
		case protoreflect.Enum:
			field.SetInt(4)
		case uint32:
			field.SetUint(1<<32 - 1)
		case uint64:
			field.SetUint(1<<64 - 1)
		case bool:
			field.SetBool(true)
		case string:
			field.SetString(strings.Repeat("n", flow.MaxName+1))
		}
	}
}

func checkEncoding(t *testing.T, ours flow.Message, want, got proto.Message) {
	t.Helper()
	encoded := ours.AppendDelimited([]byte("kept"))
	if !bytes.HasPrefix(encoded, []byte("kept")) {
		t.Fatal("what was in the buffer before is gone")
	}
	encoded = encoded[len("kept"):]
	if len(encoded) > flow.MaxEncodedSize {
		t.Fatalf("encoded to %d bytes, MaxEncodedSize says %d", len(encoded), flow.MaxEncodedSize)
	}
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

func TestEncodingIsWhatProtobufItselfWouldWrite(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		var record flow.Record
		fill(random, &record)
		checkEncoding(t, &record, message(t, &record), &pb.FlowMessage{})

		var counters flow.Counters
		fill(random, &counters)
		want := &pb.InterfaceCounters{}
		convert(t, &counters, want)
		checkEncoding(t, &counters, want, &pb.InterfaceCounters{})
	}
}

func TestLongestMessageFitsMaxEncodedSize(t *testing.T) {
	var record flow.Record
	fillLongest(&record)
	// Positions in a message have eleven bits.
	const longest = 2044
	if got := len(record.AppendDelimited(nil)); got != longest || got > flow.MaxEncodedSize {
		t.Errorf("the longest record has %d bytes, want %d of at most %d", got, longest, flow.MaxEncodedSize)
	}
	var counters flow.Counters
	fillLongest(&counters)
	if got := len(counters.AppendDelimited(nil)); got > flow.MaxEncodedSize {
		t.Errorf("the longest counters have %d bytes, MaxEncodedSize says %d", got, flow.MaxEncodedSize)
	}
}

func TestPipelineCounterIsCutToFitMaxEncodedSize(t *testing.T) {
	long := strings.Repeat("ü", 1000) + "\xff"
	labels := map[string]string{}
	for i := range 100 {
		labels[strings.Repeat("x", i)+long] = long
	}
	got := flow.NewPipelineCounter(&pb.PipelineCounter{
		Time: 1<<64 - 1, Started: 1<<64 - 1, Instance: long, Metric: long, Labels: labels, Value: -1, Increase: -1,
	}).AppendDelimited([]byte("before"))
	if len(got) > len("before")+flow.MaxEncodedSize {
		t.Errorf("it has %d bytes, MaxEncodedSize says %d", len(got), flow.MaxEncodedSize)
	}
	var back pb.PipelineCounter
	if err := protodelim.UnmarshalFrom(bytes.NewReader(got[len("before"):]), &back); err != nil || back.Value != -1 || len(back.Labels) == 0 {
		t.Errorf("read back: %v, %v", &back, err)
	}
}

func TestEveryFieldOfTheMessagesIsInTheStructs(t *testing.T) {
	for _, c := range []struct {
		ours    any
		message proto.Message
	}{
		{&flow.Record{}, &pb.FlowMessage{}},
		{&flow.Counters{}, &pb.InterfaceCounters{}},
	} {
		have := map[string]bool{}
		fields, _ := leaves(c.ours)
		if _, is := c.ours.(*flow.Record); is {
			ofRequest, _ := leaves(&flow.Request{})
			fields = append(fields, ofRequest...)
		}
		for _, f := range fields {
			have[strings.ToLower(f.Name)] = true
		}
		wanted := c.message.ProtoReflect().Descriptor().Fields()
		for i := range wanted.Len() {
			if name := wanted.Get(i).Name(); !have[strings.ToLower(string(name))] {
				t.Errorf("%T has no field for %s", c.ours, name)
			}
		}
	}
}

func TestInnerPacketAndLabelsAreLeftOutUnlessThereAreSome(t *testing.T) {
	record := flow.Record{Inner: flow.Inner{ProtoEncap: 6, SrcPortEncap: 443}, Labels: flow.Labels{MPLS1Label: 16}}
	if got := record.AppendDelimited(nil); !bytes.Equal(got, []byte{0}) {
		t.Errorf("encoded as % x", got)
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

func TestRequestIsItsFlowAndWhatTheLogAdds(t *testing.T) {
	r := flow.Request{
		Record:     flow.Record{Type: pb.FlowMessage_WEB_LOG, Bytes: 512, SrcAddr: netip.MustParseAddr("192.0.2.1")},
		HTTPMethod: "GET", HTTPHost: strings.Repeat("h", 300), HTTPPath: "/a/*", HTTPStatus: 200, HTTPDuration: 1 << 40, TLSVersion: 0x0304,
	}
	want := &pb.FlowMessage{
		Type: pb.FlowMessage_WEB_LOG, Bytes: 512, SrcAddr: []byte{192, 0, 2, 1},
		HTTPMethod: "GET", HTTPHost: strings.Repeat("h", flow.MaxName), HTTPPath: "/a/*", HTTPStatus: 200, HTTPDuration: 1 << 40, TLSVersion: 0x0304,
	}
	checkEncoding(t, &r, want, &pb.FlowMessage{})
	buffer := make([]byte, 0, 2*flow.MaxEncodedSize)
	if n := testing.AllocsPerRun(100, func() { buffer = r.AppendDelimited(buffer[:0]) }); n != 0 {
		t.Errorf("encoding allocates %v times", n)
	}
}
