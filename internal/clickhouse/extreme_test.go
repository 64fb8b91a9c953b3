package clickhouse_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// extreme sets the fields of a message to the ends of their ranges, to anything, or
// leaves them unset.
func extreme[M proto.Message](random *rand.Rand, message M) M {
	m := message.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.IsMap() || random.IntN(4) == 0 {
			continue
		}
		if !field.IsList() {
			m.Set(field, extremeValue(random, field.Kind()))
			continue
		}
		list := m.Mutable(field).List()
		length := random.IntN(4)
		if random.IntN(1000) == 0 {
			length = 10_000
		}
		for range length {
			list.Append(extremeValue(random, field.Kind()))
		}
	}
	return message
}

func extremeValue(random *rand.Rand, kind protoreflect.Kind) protoreflect.Value {
	numbers := []uint64{
		0, 1, 2, 3, 4, 127, 128, 255, 256, 65535, 65536, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1,
		uint64(time.Now().Unix()), random.Uint64(),
	}
	n := numbers[random.IntN(len(numbers))]
	switch kind {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n%2 == 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(n)))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(n)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{0, -1, 1e300, math.Inf(1), math.NaN()}[random.IntN(5)])
	case protoreflect.StringKind:
		texts := []string{"", "http", "\x00", "Größe 測試 \u202e", "a\tb\n'\\", strings.Repeat("x", 100_000)}
		return protoreflect.ValueOfString(texts[random.IntN(len(texts))%(1+random.IntN(len(texts)))])
	}
	b := make([]byte, []int{0, 1, 4, 8, 15, 16, 17, 300}[random.IntN(8)])
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return protoreflect.ValueOfBytes(b)
}

func TestEveryFlowMessageBecomesARow(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE flows_raw REMOVE TTL") // many are from 1970
	const messages, flows = 100, 100
	random := rand.New(rand.NewPCG(1, 2))
	var values [][]byte
	for range messages {
		var batch []proto.Message
		for range flows {
			batch = append(batch, extreme(random, &pb.FlowMessage{}))
		}
		values = append(values, delimited(t, batch...))
	}
	publish(t, broker, values...)
	waitFor(t, db, messages*flows, "SELECT count() FROM flows_raw")
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
	if n := query[uint64](t, db, "SELECT countIf(length(ASPath) = 10000) FROM flows_raw"); n == 0 {
		t.Error("no path of 10,000 hops was stored")
	}
	// The view for people shows each of them too.
	exec(t, db, "SELECT * FROM flows FORMAT Null")
}

func TestEveryInterfaceCountersBecomesARow(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE interface_counters REMOVE TTL")
	const messages, counters = 100, 50
	random := rand.New(rand.NewPCG(3, 4))
	var values [][]byte
	for range messages {
		var batch []proto.Message
		for range counters {
			batch = append(batch, extreme(random, &pb.InterfaceCounters{}))
		}
		values = append(values, delimited(t, batch...))
	}
	publishTo(t, broker, flow.CountersTopic, values...)
	waitFor(t, db, messages*counters, "SELECT count() FROM interface_counters")
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
	exec(t, db, "SELECT * FROM interface_traffic FORMAT Null")
}

// Protocol buffers want strings to be UTF-8; ClickHouse takes any bytes, and so the
// flow is stored rather than lost for a name.
func TestNameThatIsNotUTF8IsStoredAsItIs(t *testing.T) {
	db, broker := migrated(t)
	message := protowire.AppendTag(nil, 1019, protowire.BytesType)
	message = protowire.AppendString(message, "caf\xe9 \xff\x00")
	publish(t, broker, append(protowire.AppendVarint(nil, uint64(len(message))), message...))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	for _, text := range []string{
		"SELECT hex(ApplicationName) FROM flows_raw",
		"SELECT hex(Application) FROM flows",
	} {
		if got := query[string](t, db, text); got != "636166E920FF00" {
			t.Errorf("%s: %s", text, got)
		}
	}
}
