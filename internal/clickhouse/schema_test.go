package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/pb"
)

// leftOut are the fields of the message without a column, and why.
var leftOut = map[protoreflect.Name]string{}

func init() {
	for _, name := range []protoreflect.Name{
		"HasEncap", "SrcAddrEncap", "DstAddrEncap", "ProtoEncap", "EtypeEncap", "IPTosEncap", "IPTTLEncap",
		"IPv6FlowLabelEncap", "FragmentIdEncap", "FragmentOffsetEncap", "HasMPLS", "MPLSCount",
		"MPLS1TTL", "MPLS1Label", "MPLS2TTL", "MPLS2Label", "MPLS3TTL", "MPLS3Label",
		"MPLSLastTTL", "MPLSLastLabel", "HasPPP", "PPPAddressControl",
	} {
		leftOut[name] = "inner packets of tunnels, MPLS and PPP: no decoder fills them"
	}
}

// columnOf is the column of flows_raw that holds a field.
func columnOf(field protoreflect.Name) string {
	if renamed := map[protoreflect.Name]string{
		"Type": "FlowType", "Etype": "EType", "IngressVrfID": "IngressVrfId", "EgressVrfID": "EgressVrfId",
	}[field]; renamed != "" {
		return renamed
	}
	return string(field)
}

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
		return protoreflect.ValueOfEnum(last.Number()), strings.ToLower(strings.TrimPrefix(string(last.Name()), "RATE_"))
	case field.Kind() == protoreflect.BytesKind && n%2 == 0:
		return protoreflect.ValueOfBytes([]byte{192, 0, 2, byte(n)}), fmt.Sprintf("::ffff:192.0.2.%d", n)
	case field.Kind() == protoreflect.BytesKind:
		address := make([]byte, 16)
		address[0], address[15] = 0x20, byte(n)
		return protoreflect.ValueOfBytes(address), fmt.Sprintf("2000::%x", n)
	case field.Kind() == protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(n), fmt.Sprint(n)
	}
	return protoreflect.ValueOfUint32(uint32(n)), fmt.Sprint(n)
}

func TestEveryFieldOfTheMessageLandsInItsColumnOrIsListedAsLeftOut(t *testing.T) {
	db, broker := migrated(t)
	message := &pb.FlowMessage{}
	shown := map[string]string{}
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if leftOut[field.Name()] != "" {
			continue
		}
		value, text := sample(field)
		message.ProtoReflect().Set(field, value)
		shown[columnOf(field.Name())] = text
	}
	publish(t, broker, delimited(t, message))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	for column, want := range shown {
		if got := query[string](t, db, "SELECT lower(toString("+column+")) FROM flows_raw"); got != want {
			t.Errorf("column %s shows %s, want %s", column, got, want)
		}
	}
	if columns, want := query[uint64](t, db, "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND default_kind = ''"), uint64(len(shown)); columns != want {
		t.Errorf("flows_raw has %d stored columns, the message %d fields for them", columns, want)
	}
}

func TestEveryColumnThatPeopleSeeIsDocumented(t *testing.T) {
	db, _ := migrated(t)
	rows, err := db.QueryContext(t.Context(), `
		SELECT table || '.' || name FROM system.columns
		WHERE database = currentDatabase() AND table IN ('flows_raw', 'flows_errors', 'flows') AND comment = ''`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("column %s has no COMMENT", column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if n := query[uint64](t, db, "SELECT uniqExact(table) FROM system.columns WHERE database = currentDatabase() AND table IN ('flows_raw', 'flows_errors', 'flows')"); n != 3 {
		t.Errorf("%d of the 3 tables exist", n)
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
