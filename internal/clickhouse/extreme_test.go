package clickhouse_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/pb"
)

// extreme returns a FlowMessage whose fields are unset, at the ends of their
// ranges, or anything.
func extreme(random *rand.Rand) *pb.FlowMessage {
	f := &pb.FlowMessage{}
	m := f.ProtoReflect()
	numbers := []uint64{
		0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1,
		uint64(time.Now().Unix()), random.Uint64(),
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if random.IntN(4) == 0 {
			continue
		}
		n := numbers[random.IntN(len(numbers))]
		switch field.Kind() {
		case protoreflect.BoolKind:
			m.Set(field, protoreflect.ValueOfBool(n%2 == 1))
		case protoreflect.EnumKind:
			m.Set(field, protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(n))))
		case protoreflect.Uint32Kind:
			m.Set(field, protoreflect.ValueOfUint32(uint32(n)))
		case protoreflect.Uint64Kind:
			m.Set(field, protoreflect.ValueOfUint64(n))
		case protoreflect.BytesKind:
			b := make([]byte, []int{0, 1, 4, 8, 15, 16, 17, 300}[random.IntN(8)])
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			m.Set(field, protoreflect.ValueOfBytes(b))
		}
	}
	return f
}

func TestEveryFlowMessageBecomesARow(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE flows_raw REMOVE TTL") // many are from 1970
	const messages, flows = 500, 100
	random := rand.New(rand.NewPCG(1, 2))
	var values [][]byte
	for range messages {
		var batch []*pb.FlowMessage
		for range flows {
			batch = append(batch, extreme(random))
		}
		values = append(values, delimited(t, batch...))
	}
	publish(t, broker, values...)
	waitFor(t, db, messages*flows, "SELECT count() FROM flows_raw")
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
	// The view for people shows each of them too.
	exec(t, db, "SELECT * FROM flows FORMAT Null")
}
