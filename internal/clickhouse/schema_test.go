package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/protogen/catalog"
	"github.com/leoluk/NetMeta/pb"
)

// sample gives every field a value that no other field has, and says how its
// column shows it.
func sample(field protoreflect.FieldDescriptor) (value protoreflect.Value, shown string) {
	n := uint64(field.Number()%200) + 1
	switch {
	case field.Name() == "TimeReceived":
		now := time.Now().Unix()
		return protoreflect.ValueOfUint64(uint64(now)), time.Unix(now, 0).UTC().Format(time.DateTime)
	case field.Kind() == protoreflect.EnumKind:
		last := field.Enum().Values().Get(field.Enum().Values().Len() - 1)
		_, name, found := strings.Cut(string(last.Name()), "_")
		if field.Name() == "Type" || !found {
			name = string(last.Name())
		}
		return protoreflect.ValueOfEnum(last.Number()), strings.ToLower(name)
	case field.Kind() == protoreflect.BytesKind && n%2 == 0:
		return protoreflect.ValueOfBytes([]byte{192, 0, 2, byte(n)}), fmt.Sprintf("::ffff:192.0.2.%d", n)
	case field.Kind() == protoreflect.BytesKind:
		address := make([]byte, 16)
		address[0], address[15] = 0x20, byte(n)
		return protoreflect.ValueOfBytes(address), fmt.Sprintf("2000::%x", n)
	case field.Kind() == protoreflect.StringKind:
		return protoreflect.ValueOfString(fmt.Sprint("name ", n)), fmt.Sprint("name ", n)
	case field.Kind() == protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true), "true"
	case field.Kind() == protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(n), fmt.Sprint(n)
	}
	return protoreflect.ValueOfUint32(uint32(n)), fmt.Sprint(n)
}

// sampleMessage fills every field of a message that has a column, and returns how the
// columns show them. Those of several fields are shown as an array.
func sampleMessage(message proto.Message, fields []catalog.Field) (shown map[string]string) {
	shown = map[string]string{}
	m := message.ProtoReflect()
	for _, f := range fields {
		field := m.Descriptor().Fields().ByName(protoreflect.Name(f.Name))
		if f.Column == "" {
			continue
		}
		value, text := sample(field)
		if field.IsList() {
			list := m.Mutable(field).List()
			list.Append(value)
			list.Append(value)
			text = fmt.Sprintf("[%s,%[1]s]", text)
		} else {
			m.Set(field, value)
		}
		switch before := shown[f.Column]; {
		case f.Implied:
		case before == "":
			shown[f.Column] = text
		default:
			shown[f.Column] = "[" + strings.Trim(before, "[]") + "," + text + "]"
		}
	}
	return shown
}

func TestEveryFieldLandsInTheColumnThatItsCommentNames(t *testing.T) {
	for _, test := range []struct {
		name, table, topic, file, definition string
		message                              proto.Message
	}{
		{"flows", "flows_raw", flow.Topic, "FlowMessage.proto", pb.Definition, &pb.FlowMessage{}},
		{"counters", "interface_counters", flow.CountersTopic, "InterfaceCounters.proto", pb.CountersDefinition, &pb.InterfaceCounters{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fields, err := catalog.Read(t.Context(), test.file, test.definition)
			if err != nil {
				t.Fatal(err)
			}
			db, broker := migrated(t)
			shown := sampleMessage(test.message, fields)
			publishTo(t, broker, test.topic, delimited(t, test.message))
			waitFor(t, db, 1, "SELECT count() FROM "+test.table)
			for column, want := range shown {
				if got := query[string](t, db, "SELECT lower(toString("+column+")) FROM "+test.table); got != want {
					t.Errorf("column %s shows %s, want %s", column, got, want)
				}
			}
			for _, f := range fields {
				if _, exists := shown[f.Column]; f.Implied && !exists {
					t.Errorf("field %s: no other field fills column %s", f.Name, f.Column)
				}
			}
			if columns, want := query[uint64](t, db, "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = '"+test.table+"' AND default_kind = ''"), uint64(len(shown)); columns != want {
				t.Errorf("%s has %d stored columns, the message fills %d", test.table, columns, want)
			}
		})
	}
}

func TestEveryColumnThatPeopleSeeIsDocumented(t *testing.T) {
	db, _ := migrated(t)
	const seen = "FROM system.columns WHERE database = currentDatabase() AND table IN ('flows_raw', 'flows_errors', 'flows', 'interface_counters', 'interface_traffic')"
	if undocumented := query[string](t, db, "SELECT arrayStringConcat(groupArray(table || '.' || name), ' ') "+seen+" AND comment = ''"); undocumented != "" {
		t.Errorf("columns without a COMMENT: %s", undocumented)
	}
	if n := query[uint64](t, db, "SELECT uniqExact(table) "+seen); n != 5 {
		t.Errorf("%d of the 5 tables exist", n)
	}
}

func TestViewForPeopleHasNamesAndEstimatedTraffic(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, &pb.FlowMessage{
		Type: pb.FlowMessage_NETFLOW_V9, TimeReceived: uint64(time.Now().Unix()),
		SamplerAddress: []byte{192, 0, 2, 1}, SamplingRate: 1000, SamplingRateSource: pb.FlowMessage_RATE_OPTIONS,
		SrcAddr: []byte{198, 51, 100, 7}, SrcPort: 443, Proto: 6, TCPFlags: 0x12,
		DstAddr: append([]byte{0x20, 0x01, 0x0d, 0xb8}, make([]byte, 12)...), Etype: 0x86dd,
		Bytes: 1500, Packets: 2, FlowDirection: 1, SrcMac: 0x020000000001,
	}))
	waitFor(t, db, 1, "SELECT count() FROM flows")
	for expression, want := range map[string]string{
		"Exporter": "192.0.2.1", "Protocol": "NetFlow v9", "Direction": "out", "Source": "198.51.100.7", "Destination": "2001:db8::",
		"Transport": "TCP", "TCPFlags": "SYN-ACK", "Network": "IPv6", "toString(Bytes)": "1500000", "toString(Bits)": "12000000",
		"toString(Packets)": "2000", "SamplingRateSource": "options", "NextHop": "", "SourceMAC": "02:00:00:00:00:01", "DestinationMAC": "",
	} {
		if got := query[string](t, db, "SELECT "+expression+" FROM flows"); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

func TestViewForPeopleWritesAddressesAsTheyDo(t *testing.T) {
	db, _ := migrated(t)
	for address, want := range map[string]string{
		"::":                 "",
		"::ffff:192.0.2.1":   "192.0.2.1",
		"::ffff:0.0.0.0":     "0.0.0.0",
		"::1":                "::1",
		"2001:db8::ffff:1:2": "2001:db8::ffff:1:2",
	} {
		exec(t, db, fmt.Sprintf("INSERT INTO flows_raw (TimeReceived, SrcAddr, DstAddr, NextHop, SamplerAddress) VALUES (now(), '%[1]s', '%[1]s', '%[1]s', '%[1]s')", address))
		if got := query[string](t, db, "SELECT arrayStringConcat([Source, Destination, NextHop, Exporter], ' ') FROM flows"); got != strings.Join([]string{want, want, want, want}, " ") {
			t.Errorf("%s is written %q, want %q", address, got, want)
		}
		exec(t, db, "TRUNCATE TABLE flows_raw")
	}
}
