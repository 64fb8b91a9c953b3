package clickhouse_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb/validate"
)

// keptBytes is how much of a message flows_errors keeps.
const keptBytes = 1 << 20

// noise returns n bytes that mean nothing.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// prefixed puts length in front of a message, true or not.
func prefixed(length uint64, message []byte) []byte {
	return append(protowire.AppendVarint(nil, length), message...)
}

// wireField is a field of a message on the wire.
func wireField(number protowire.Number, wire protowire.Type, value []byte) []byte {
	return append(protowire.AppendTag(nil, number, wire), value...)
}

// ofBytes is the number of a field that holds bytes.
func ofBytes(message proto.Message) protowire.Number {
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if kind := fields.Get(i).Kind(); kind == protoreflect.BytesKind || kind == protoreflect.StringKind {
			return fields.Get(i).Number()
		}
	}
	panic("no field holds bytes")
}

// poison returns Kafka messages that cannot be parsed, by what is wrong with them.
// They are made of a message that could be, and that is one with the number 1.
func poison(t *testing.T, message proto.Message) map[string][]byte {
	t.Helper()
	bare, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	size := uint64(len(bare))
	wrongType := wireField(ofBytes(message), protowire.VarintType, []byte{77})
	whole := prefixed(size, bare)
	return map[string][]byte{
		"text":                             []byte("hello, this is not protobuf"),
		"random bytes":                     noise(200),
		"no length in front":               bare,
		"cut off in the middle":            append(bytes.Clone(whole), whole[:len(whole)-3]...),
		"a length that is too large":       prefixed(size+5, bare),
		"a length that is too small":       prefixed(size-3, bare),
		"a length beyond everything":       prefixed(1<<62, bare),
		"a length that does not end":       bytes.Repeat([]byte{0xff}, 30),
		"a number where bytes belong":      prefixed(uint64(len(wrongType)), wrongType),
		"a bad one between good ones":      bytes.Join([][]byte{whole, prefixed(uint64(len(wrongType)), wrongType), whole}, nil),
		"10 MB of random bytes":            noise(10 << 20),
		"10 MB of good ones and a bad end": append(bytes.Repeat(whole, 10<<20/len(whole)), 0xff),
		"as long as is kept":               noise(keptBytes),
		"a byte longer than what is kept":  noise(keptBytes + 1),
	}
}

func TestValidationFindsWhatClickHouseCannotParse(t *testing.T) {
	for what, value := range poison(t, good(1)) {
		if !lost(value) {
			t.Errorf("%s: validation finds that ClickHouse can read it", what)
		}
	}
	if lost(delimited(t, good(1), good(2))) {
		t.Error("validation finds that ClickHouse cannot read good flows")
	}
}

// lost tells whether validation finds that ClickHouse stores nothing of a Kafka message.
func lost(value []byte) bool {
	for r := validate.NewReader(bytes.NewReader(value)); ; {
		m, err := r.Next()
		if err != nil {
			return err != io.EOF
		}
		for _, problem := range validate.Flow(m, time.Now()) {
			if problem.Severity == validate.Lost {
				return true
			}
		}
	}
}

func TestMessagesThatCannotBeParsedAreKeptAndCostNothingAroundThem(t *testing.T) {
	for topic, test := range map[string]struct {
		table string
		good  proto.Message
	}{
		flow.Topic:         {"flows_raw", good(1)},
		flow.CountersTopic: {"interface_counters", goodCounters(1)},
		flow.PipelineTopic: {"pipeline_counters", goodPipeline(1)},
		flow.TracesTopic:   {"traces", goodTrace(1)},
	} {
		t.Run(topic, func(t *testing.T) {
			db, broker := migrated(t)
			around := delimited(t, test.good, test.good)
			values := [][]byte{around}
			bad := poison(t, test.good)
			offsets := map[string]int{}
			for what, value := range bad {
				offsets[what] = len(values)
				values = append(values, value, around)
			}
			for _, value := range values {
				publishTo(t, broker, topic, value) // brokers limit what comes at once
			}

			waitFor(t, db, uint64(len(bad)), "SELECT count() FROM flows_errors")
			waitFor(t, db, uint64(2*(len(bad)+1)), "SELECT count() FROM "+test.table)
			for what, value := range bad {
				checkKept(t, db, topic, what, offsets[what], value)
			}
		})
	}
}

// checkKept compares what flows_errors says of a message with the message.
func checkKept(t *testing.T, db *sql.DB, topic, what string, offset int, value []byte) {
	t.Helper()
	of := fmt.Sprintf(" FROM flows_errors WHERE Topic = '%s' AND Partition = 0 AND Offset = %d", topic, offset)
	if n := query[uint64](t, db, "SELECT count()"+of); n != 1 {
		t.Errorf("%s: %d rows, want 1", what, n)
		return
	}
	if reason := query[string](t, db, "SELECT Reason"+of); !strings.Contains(reason, "Protobuf") && !strings.Contains(reason, "Attempt to read after eof") {
		t.Errorf("%s: the reason is %q", what, reason)
	}
	if length := query[uint64](t, db, "SELECT Length"+of); length != uint64(len(value)) {
		t.Errorf("%s: its length is %d, want %d", what, length, len(value))
	}
	if kept := query[string](t, db, "SELECT Message"+of); kept != string(value[:min(len(value), keptBytes)]) {
		t.Errorf("%s: %d bytes are kept of %d, or others", what, len(kept), len(value))
	}
}

// What another version of the message has besides is no reason to lose a flow.
func TestFieldsThatNobodyKnowsCostNothing(t *testing.T) {
	db, broker := migrated(t)
	bare, err := proto.Marshal(good(5))
	if err != nil {
		t.Fatal(err)
	}
	unknown := bytes.Join([][]byte{
		wireField(5000, protowire.VarintType, protowire.AppendVarint(nil, 1<<40)),
		bare,
		wireField(5001, protowire.BytesType, protowire.AppendBytes(nil, noise(3000))),
		wireField(5002, protowire.Fixed64Type, protowire.AppendFixed64(nil, 1)),
		wireField(5003, protowire.Fixed32Type, protowire.AppendFixed32(nil, 1)),
		wireField(1<<29-1, protowire.VarintType, []byte{1}),
	}, nil)
	publish(t, broker, prefixed(uint64(len(unknown)), unknown), delimited(t, good(6)))
	waitFor(t, db, 2, "SELECT count() FROM flows_raw")
	if sum := query[uint64](t, db, "SELECT sum(Bytes) FROM flows_raw"); sum != 11 {
		t.Errorf("%d bytes are stored, want 11", sum)
	}
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
}

// ClickHouse does not compare the type on the wire with that of the definition where
// it can make something of the bytes. The flow is stored, with whatever it made.
func TestNumbersOfAnotherWireTypeDoNotLoseTheFlow(t *testing.T) {
	db, broker := migrated(t)
	bare, err := proto.Marshal(good(5))
	if err != nil {
		t.Fatal(err)
	}
	const srcPort = 21
	var values [][]byte
	for _, field := range [][]byte{
		wireField(srcPort, protowire.BytesType, protowire.AppendBytes(nil, []byte("wrong"))),
		wireField(srcPort, protowire.Fixed64Type, protowire.AppendFixed64(nil, 80)),
		wireField(srcPort, protowire.Fixed32Type, protowire.AppendFixed32(nil, 80)),
	} {
		message := append(bytes.Clone(bare), field...)
		values = append(values, prefixed(uint64(len(message)), message))
	}
	publish(t, broker, values...)
	waitFor(t, db, 3, "SELECT count() FROM flows_raw WHERE Bytes = 5")
}

// A message without bytes holds no flow: there is nothing to store and nothing to keep.
func TestMessagesWithoutBytesAreReadOver(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, []byte{}, delimited(t, good(1)), nil, []byte{}, delimited(t, good(2)), nil)
	waitFor(t, db, 2, "SELECT count() FROM flows_raw")
	waitFor(t, db, 6, "SELECT max(assignments.current_offset[1]) FROM system.kafka_consumers WHERE database = currentDatabase() AND table = 'flows_queue'")
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages are in flows_errors", n)
	}
}

// One Kafka message of 10 MB, as a program may write that collects for long.
func TestMessageOfManyFlowsIsStored(t *testing.T) {
	db, broker := migrated(t)
	one := delimited(t, good(1))
	flows := 10 << 20 / len(one)
	publish(t, broker, bytes.Repeat(one, flows))
	waitFor(t, db, uint64(flows), "SELECT count() FROM flows_raw")
}
