package validate_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/validate"
)

// framed returns flows as the value of a Kafka message.
func framed(t testing.TB, flows ...*pb.FlowMessage) []byte {
	t.Helper()
	var value bytes.Buffer
	for _, m := range flows {
		if _, err := protodelim.MarshalTo(&value, m); err != nil {
			t.Fatal(err)
		}
	}
	return value.Bytes()
}

// read returns all flows of a value, and the error that ended it.
func read(value io.Reader) (flows []*pb.FlowMessage, err error) {
	r := validate.NewReader(value)
	for {
		m, err := r.Next()
		if err != nil {
			return flows, err
		}
		flows = append(flows, m)
	}
}

func TestFlowsAreReadAsTheyWereWritten(t *testing.T) {
	first, second := flow(), flow()
	second.Bytes = 99
	value := framed(t, first, &pb.FlowMessage{}, second)
	for name, in := range map[string]io.Reader{"at once": bytes.NewReader(value), "byte by byte": iotest.OneByteReader(bytes.NewReader(value))} {
		flows, err := read(in)
		if err != io.EOF || len(flows) != 3 || !proto.Equal(flows[0], first) || !proto.Equal(flows[2], second) {
			t.Errorf("%s: got %v, %v", name, flows, err)
		}
	}
}

func TestBytesThatAreNoFlowsAreRefusedWithTheirPlaceAndTheUsualReason(t *testing.T) {
	bare, err := proto.Marshal(flow())
	if err != nil {
		t.Fatal(err)
	}
	whole := framed(t, flow())
	for name, test := range map[string]struct {
		value []byte
		read  int
		want  string
	}{
		"no length in front":    {bare, 0, "the length in front of the FlowMessage is missing"},
		"JSON":                  {[]byte(`{"Bytes": 1500, "Packets": 1, "Proto": 6}`), 0, "it looks like JSON, which is not read"},
		"cut off":               {append(bytes.Clone(whole), whole[:len(whole)-3]...), 1, "is announced, and"},
		"no end of the length":  {bytes.Repeat([]byte{0xff}, 30), 0, "a varint with the length of a FlowMessage is expected"},
		"cut off in the length": {append(bytes.Clone(whole), 0x80), 1, "a varint with the length of a FlowMessage is expected"},
		"far too long":          {binary.AppendUvarint(nil, 1<<40), 0, "is announced: no length, or the rest of something else"},
		"noise behind a length": {[]byte{3, 0xff, 0xff, 0xff}, 0, "its bytes are no FlowMessage"},
	} {
		t.Run(name, func(t *testing.T) {
			flows, err := read(bytes.NewReader(test.value))
			var broken *validate.BrokenError
			if !errors.As(err, &broken) || !strings.Contains(err.Error(), test.want) || len(flows) != test.read || broken.Offset != int64(test.read*len(whole)) {
				t.Errorf("got %d flows and %v, want %d and %s", len(flows), err, test.read, test.want)
			}
		})
	}
}

func TestErrorOfTheDiskIsPassedOn(t *testing.T) {
	boom := errors.New("boom")
	whole := framed(t, flow())
	for _, cut := range []int{0, 1, len(whole)} {
		if _, err := read(io.MultiReader(bytes.NewReader(whole[:cut]), iotest.ErrReader(boom))); !errors.Is(err, boom) {
			t.Errorf("after %d bytes: %v", cut, err)
		}
	}
}

// Whatever the bytes are, reading ends, and what was read can be judged.
func FuzzRead(f *testing.F) {
	f.Add(framed(f, flow(), flow()))
	f.Add([]byte(`{"Bytes": 1}`))
	f.Add(bytes.Repeat([]byte{0xff}, 30))
	f.Fuzz(func(t *testing.T, value []byte) {
		flows, err := read(bytes.NewReader(value))
		if err == nil || len(flows) > len(value) {
			t.Fatalf("%d flows of %d bytes: %v", len(flows), len(value), err)
		}
		for _, m := range flows {
			for _, p := range validate.Flow(m, now) {
				_ = p.String()
			}
		}
	})
}

func BenchmarkFlow(b *testing.B) {
	m := flow()
	b.ReportAllocs()
	for b.Loop() {
		if problems := validate.Flow(m, now); problems != nil {
			b.Fatal(problems)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	value := bytes.Repeat(framed(b, flow()), 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		if flows, err := read(bytes.NewReader(value)); err != io.EOF || len(flows) != 1000 {
			b.Fatal(len(flows), err)
		}
	}
}
