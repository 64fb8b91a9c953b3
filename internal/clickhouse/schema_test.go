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
	case field.Name() == "TimeReceived" || field.Name() == "Time" || field.Name() == "Started":
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
	case field.Kind() == protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(n) + 0.5), fmt.Sprintf("%d.5", n)
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
		if field.IsMap() {
			m.Mutable(field).Map().Set(protoreflect.ValueOfString("label").MapKey(), protoreflect.ValueOfString("value"))
			shown[f.Column] = "{'label':'value'}"
			continue
		}
		value, text := sample(field)
		if field.IsList() {
			list := m.Mutable(field).List()
			list.Append(value)
			list.Append(value)
			if field.Kind() == protoreflect.BytesKind {
				text = "'" + text + "'"
			}
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
		{"pipeline", "pipeline_counters", flow.PipelineTopic, "PipelineCounter.proto", pb.PipelineDefinition, &pb.PipelineCounter{}},
		{"traces", "traces", flow.TracesTopic, "Trace.proto", pb.TraceDefinition, &pb.Trace{}},
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
			if columns, want := query[uint64](t, db, "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = '"+test.table+"' AND default_kind = '' AND name NOT LIKE '%Resolved'"), uint64(len(shown)); columns != want {
				t.Errorf("%s has %d stored columns, the message fills %d", test.table, columns, want)
			}
		})
	}
}

// What only passes on, from Kafka to the tables, has the columns of what it passes to.
// So have dictionaries of what they read. schema_migrations belongs to golang-migrate.
func TestEveryColumnOfWhatHoldsRowsIsDocumented(t *testing.T) {
	db, _ := migrated(t)
	const ours = `FROM system.columns WHERE database = currentDatabase() AND table IN
		(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT IN ('Kafka', 'Null', 'MaterializedView', 'Dictionary') AND name != 'schema_migrations')`
	if undocumented := query[string](t, db, "SELECT arrayStringConcat(groupArray(table || '.' || name), ' ') "+ours+" AND comment = ''"); undocumented != "" {
		t.Errorf("columns without a COMMENT: %s", undocumented)
	}
	if n := query[uint64](t, db, "SELECT uniqExact(table) "+ours); n < 6 {
		t.Errorf("%d tables and views hold rows", n)
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

func TestViewForPeopleTellsTheFactsThatFewExportersSend(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, &pb.FlowMessage{
		TimeReceived: uint64(time.Now().Unix()), ApplicationID: 13<<24 | 453, FlowEndReason: 2, FirewallEvent: 3, NATEvent: 4,
		TunnelType: pb.FlowMessage_TUNNEL_VXLAN, VNI: 4096, HasEncap: true, EtypeEncap: 0x0800, ProtoEncap: 6,
		SrcAddrEncap: []byte{10, 0, 0, 1}, SrcPortEncap: 50000, DstAddrEncap: []byte{10, 0, 0, 2}, DstPortEncap: 443,
		PostNATSrcAddr: []byte{192, 0, 2, 1}, PostNATSrcPort: 60000, PostNATDstAddr: []byte{192, 0, 2, 2}, PostNATDstPort: 80,
		HasMPLS: true, MPLSCount: 5, MPLS1Label: 16, MPLS2Label: 17, MPLS3Label: 18, MPLSLastLabel: 20,
		BGPNextHop: []byte{192, 0, 2, 9}, ASPath: []uint32{64500, 4200000000}, Communities: []uint32{64500<<16 | 120, 65535<<16 | 666},
	}))
	waitFor(t, db, 1, "SELECT count() FROM flows")
	for expression, want := range map[string]string{
		"Application": "13:453", "EndReason": "active timeout", "FirewallEvent": "denied", "NATEvent": "NAT44 session created",
		"Tunnel": "VXLAN", "toString(VNI)": "4096", "InnerTransport": "TCP",
		"concat(InnerSource, ' ', toString(InnerSourcePort))":           "10.0.0.1 50000",
		"concat(InnerDestination, ' ', toString(InnerDestinationPort))": "10.0.0.2 443",
		"concat(NATSource, ' ', toString(NATSourcePort))":               "192.0.2.1 60000",
		"concat(NATDestination, ' ', toString(NATDestinationPort))":     "192.0.2.2 80",
		"toString(MPLSLabels)": "[16,17,18,20]", "BGPNextHop": "192.0.2.9", "ASPath": "64500 4200000000", "Communities": "64500:120 65535:666",
	} {
		if got := query[string](t, db, "SELECT "+expression+" FROM flows"); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

func TestMPLSLabelsAreThoseOfTheStack(t *testing.T) {
	tests := []struct {
		name  string
		stack *pb.FlowMessage
		want  string
	}{
		{"none", &pb.FlowMessage{}, "[] of 0"},
		{"explicit null only", &pb.FlowMessage{HasMPLS: true, MPLSCount: 1}, "[0] of 1"},
		{"two", &pb.FlowMessage{HasMPLS: true, MPLSCount: 2, MPLS1Label: 16, MPLS2Label: 17, MPLSLastLabel: 17}, "[16,17] of 2"},
		{"three", &pb.FlowMessage{HasMPLS: true, MPLSCount: 3, MPLS1Label: 16, MPLS2Label: 17, MPLS3Label: 18, MPLSLastLabel: 18}, "[16,17,18] of 3"},
		{"cut off after two", &pb.FlowMessage{HasMPLS: true, MPLS1Label: 16, MPLS2Label: 17}, "[16,17] of 2"},
		{"cut off after three", &pb.FlowMessage{HasMPLS: true, MPLS1Label: 16, MPLS2Label: 17, MPLS3Label: 18}, "[16,17,18] of 3"},
		{"a producer without counts", &pb.FlowMessage{HasMPLS: true, MPLS1Label: 16}, "[16] of 1"},
		{"a count that cannot be", &pb.FlowMessage{HasMPLS: true, MPLSCount: 1 << 20, MPLS1Label: 16, MPLSLastLabel: 20}, "[16,0,0,20] of 255"},
	}
	db, broker := migrated(t)
	var stacks []*pb.FlowMessage
	for i, test := range tests {
		test.stack.SequenceNum = uint32(i)
		stacks = append(stacks, test.stack)
	}
	publish(t, broker, delimited(t, stacks...))
	waitFor(t, db, uint64(len(tests)), "SELECT count() FROM flows_raw")
	for i, test := range tests {
		if got := query[string](t, db, fmt.Sprint("SELECT concat(toString(MPLSLabels), ' of ', toString(MPLSCount)) FROM flows_raw WHERE SequenceNum = ", i)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestTunnelIsNamedEvenIfItsKindIsNotKnown(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, &pb.FlowMessage{TunnelType: 99}, &pb.FlowMessage{HasEncap: true}))
	waitFor(t, db, 2, "SELECT count() FROM flows WHERE Tunnel = 'other'")
}

func TestEveryKindOfFlowIsStoredAndNamedAndUnknownOnesAreUnknown(t *testing.T) {
	db, broker := migrated(t)
	var flows []*pb.FlowMessage
	for kind := range pb.FlowMessage_FlowType_name {
		flows = append(flows, &pb.FlowMessage{Type: pb.FlowMessage_FlowType(kind), SequenceNum: uint32(kind), TimeReceived: uint64(time.Now().Unix())})
	}
	flows = append(flows, &pb.FlowMessage{Type: 99, SequenceNum: 99, TimeReceived: uint64(time.Now().Unix())})
	publish(t, broker, delimited(t, flows...))
	waitFor(t, db, uint64(len(flows)), "SELECT count() FROM flows_raw")
	for kind, name := range pb.FlowMessage_FlowType_name {
		if got := query[string](t, db, fmt.Sprintf("SELECT toString(FlowType) FROM flows_raw WHERE SequenceNum = %d", kind)); got != name {
			t.Errorf("a flow of %s is stored as %s", name, got)
		}
	}
	if got := query[string](t, db, "SELECT toString(FlowType) FROM flows_raw WHERE SequenceNum = 99"); got != "FLOWUNKNOWN" {
		t.Errorf("a kind that is not known is stored as %s", got)
	}
	if named, want := query[uint64](t, db, "SELECT uniqExact(Protocol) FROM flows"), uint64(len(pb.FlowMessage_FlowType_name)); named != want {
		t.Errorf("%d kinds have names in the view for people, want %d and other", named, want)
	}
}

func TestRequestsOfWebServersAreInATableOfTheirOwnAndInFlows(t *testing.T) {
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	publish(t, broker, delimited(t,
		&pb.FlowMessage{
			Type: pb.FlowMessage_WEB_LOG, TimeReceived: now, SamplerAddress: []byte{192, 0, 2, 1}, SrcAddr: []byte{192, 0, 2, 1}, SrcPort: 443, DstAddr: []byte{198, 51, 100, 7}, Bytes: 1234,
			HTTPMethod: "GET", HTTPHost: "www.example.net", HTTPPath: "/items/*", HTTPStatus: 404, HTTPDuration: 1500, TLSVersion: 0x0304,
		},
		&pb.FlowMessage{Type: pb.FlowMessage_WEB_LOG, TimeReceived: now, SrcAddr: []byte{198, 51, 100, 7}, Bytes: 100}, // of a request
		&pb.FlowMessage{Type: pb.FlowMessage_IPFIX, TimeReceived: now, HTTPMethod: "GET"},
	))
	waitFor(t, db, 3, "SELECT count() FROM flows_raw")
	waitFor(t, db, 1, "SELECT count() FROM web_requests")
	const row = `concat(addressToString(SamplerAddress), ' ', toString(ServerPort), ' ', addressToString(ClientAddress), ' ', Host, ' ', Method, ' ', Path, ' ',
		toString(Status), ' ', StatusClass, ' ', toString(Bytes), ' ', toString(Duration), ' ', TLSVersion)`
	if got, want := query[string](t, db, "SELECT "+row+" FROM web_requests"), "192.0.2.1 443 198.51.100.7 www.example.net GET /items/* 404 4xx 1234 1500 TLS 1.3"; got != want {
		t.Errorf("stored is %s\nwant      %s", got, want)
	}
}
