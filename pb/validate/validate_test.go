package validate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/validate"
)

var now = time.Unix(1_900_000_000, 0)

// flow returns a flow with nothing wrong.
func flow() *pb.FlowMessage {
	return &pb.FlowMessage{
		Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(now.Unix()), TimeFlowStart: uint64(now.Unix()) - 1, TimeFlowEnd: uint64(now.Unix()),
		SamplingRate: 100, SamplerAddress: []byte{192, 0, 2, 1}, Etype: 0x0800,
		SrcAddr: []byte{198, 51, 100, 1}, DstAddr: []byte{203, 0, 113, 1}, Proto: 6, SrcPort: 443, DstPort: 50000, TCPFlags: 18,
		Bytes: 1500, Packets: 1, InIf: 1, OutIf: 2,
	}
}

func TestFlowThatIsAsItShouldBeHasNoProblem(t *testing.T) {
	if problems := validate.Flow(flow(), now); problems != nil {
		t.Errorf("got %v", problems)
	}
	v6 := flow()
	v6.Etype, v6.SrcAddr, v6.DstAddr, v6.SrcNet = 0x86dd, make([]byte, 16), make([]byte, 16), 48
	v6.SrcAddr[0], v6.DstAddr[0] = 0x20, 0x20
	if problems := validate.Flow(v6, now); problems != nil {
		t.Errorf("IPv6: got %v", problems)
	}
}

func TestEachMistakeIsNamedWithItsFieldAndWhatIsStoredInstead(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*pb.FlowMessage)
		want   string
	}{
		"no time":                {func(m *pb.FlowMessage) { m.TimeReceived = 0 }, "doubtful: TimeReceived is missing: the time of the Kafka message is stored"},
		"milliseconds":           {func(m *pb.FlowMessage) { m.TimeReceived *= 1000 }, "wrong: TimeReceived lies in the future (1900000000000): the time of the Kafka message is stored; it looks like milliseconds, and must be seconds"},
		"tomorrow":               {func(m *pb.FlowMessage) { m.TimeReceived += 86401 }, "wrong: TimeReceived lies in the future (1900086401): the time of the Kafka message is stored"},
		"last month":             {func(m *pb.FlowMessage) { m.TimeReceived -= 30 * 86400 }, "doubtful: TimeReceived is more than 7 days old (1897408000): the flow is dropped at once unless flows are kept for longer (netmeta retention)"},
		"end in nanoseconds":     {func(m *pb.FlowMessage) { m.TimeFlowEnd *= 1e9 }, "doubtful: TimeFlowEnd lies in the future (1900000000000000000): it is stored so; it looks like nanoseconds, and must be seconds"},
		"end before start":       {func(m *pb.FlowMessage) { m.TimeFlowStart += 5 }, "doubtful: TimeFlowStart is after TimeFlowEnd (1900000004 and 1900000000): durations of flows become negative"},
		"no exporter":            {func(m *pb.FlowMessage) { m.SamplerAddress = nil }, "doubtful: SamplerAddress is missing: the exporter is shown as ::, together with all others without an address"},
		"no rate":                {func(m *pb.FlowMessage) { m.SamplingRate = 0 }, "doubtful: SamplingRate is missing: it is stored as 1 and marked as unknown, which raises an alert; write 1 where nothing is sampled"},
		"unknown type":           {func(m *pb.FlowMessage) { m.Type = 99 }, "wrong: Type is no type of FlowMessage.proto (99): FLOWUNKNOWN is stored"},
		"unknown source of rate": {func(m *pb.FlowMessage) { m.SamplingRateSource = 9 }, "wrong: SamplingRateSource is no source of FlowMessage.proto (9): unspecified is stored"},
		"unknown tunnel":         {func(m *pb.FlowMessage) { m.TunnelType = 90 }, "wrong: TunnelType is no kind of tunnel of FlowMessage.proto (90): other is stored"},
		"address as text":        {func(m *pb.FlowMessage) { m.SrcAddr = []byte("192.0.2.77") }, "wrong: SrcAddr is text (192.0.2.77): :: is stored; this is the address as text: write its 4 or 16 bytes"},
		"address cut":            {func(m *pb.FlowMessage) { m.NextHop = []byte{1, 2, 3} }, "wrong: NextHop is neither 4 nor 16 bytes long (3 bytes): :: is stored; write 4 bytes of IPv4 or 16 of IPv6"},
		"number beyond column":   {func(m *pb.FlowMessage) { m.IPTTL = 256 + 64 }, "wrong: IPTTL is above 255 (320): its lower 8 bits are stored"},
		"number beyond header":   {func(m *pb.FlowMessage) { m.VlanId = 5000 }, "doubtful: VlanId is above 4095 (5000): it is stored so, and nothing has such a number"},
		"no traffic":             {func(m *pb.FlowMessage) { m.Bytes, m.Packets = 0, 0 }, "doubtful: has neither Bytes nor Packets: the flow counts as no traffic"},
		"no packets":             {func(m *pb.FlowMessage) { m.Packets = 0 }, "doubtful: Packets is 0 where Bytes is not (1500 bytes): rates of packets, and so alerts of attacks, leave the flow out"},
		"too short":              {func(m *pb.FlowMessage) { m.Packets = 3000 }, "doubtful: Bytes is below Packets (1500 bytes, 3000 packets): no packet is that short"},
		"direction unsaid":       {func(m *pb.FlowMessage) { m.FlowDirection = 1 }, "doubtful: FlowDirection is set without HasFlowDirection (1): the direction is shown as unknown"},
		"two families":           {func(m *pb.FlowMessage) { m.DstAddr = make([]byte, 16) }, "doubtful: has SrcAddr and DstAddr of different families: no packet has"},
		"no ethertype":           {func(m *pb.FlowMessage) { m.Etype = 0 }, "doubtful: Etype is missing: charts by ethertype show the flow as unknown; this is 2048"},
		"other ethertype":        {func(m *pb.FlowMessage) { m.Etype = 0x86dd }, "doubtful: Etype is of another family than the addresses (34525): this is 2048"},
		"long prefix":            {func(m *pb.FlowMessage) { m.DstNet = 64 }, "doubtful: DstNet is above 32 (64): no network of IPv4 is that small"},
		"ports of GRE":           {func(m *pb.FlowMessage) { m.Proto, m.TCPFlags = 47, 0 }, "doubtful: Proto has no ports, and there are some (47): lists by service show the ports under this protocol"},
		"flags of UDP":           {func(m *pb.FlowMessage) { m.Proto = 17 }, "doubtful: Proto is not TCP, and there are TCPFlags (17): what looks for floods goes by both"},
		"ICMP of TCP":            {func(m *pb.FlowMessage) { m.IcmpType = 8 }, "doubtful: Proto is not ICMP, and there is an IcmpType or IcmpCode (6): it is stored so"},
		"field from the future":  {func(m *pb.FlowMessage) { m.ProtoReflect().SetUnknown(varint(4711)) }, "doubtful: has a field that FlowMessage.proto does not know (number 4711): it is not stored"},
		"number for bytes":       {func(m *pb.FlowMessage) { m.ProtoReflect().SetUnknown(varint(12)) }, "lost: NextHop was written with another type than in FlowMessage.proto: nothing of the Kafka message is stored; generate your code from the definition"},
		"bytes for a number":     {func(m *pb.FlowMessage) { m.ProtoReflect().SetUnknown(text(18)) }, "wrong: InIf was written with another type than in FlowMessage.proto: some other number is stored; generate your code from the definition"},
	} {
		t.Run(name, func(t *testing.T) {
			m := flow()
			test.change(m)
			problems := validate.Flow(m, now)
			if len(problems) != 1 || problems[0].String() != test.want {
				t.Errorf("got %v\nwant %s", problems, test.want)
			}
		})
	}
}

func varint(number protowire.Number) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), 1)
}

func text(number protowire.Number) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), []byte("seven"))
}

// A number that does not fit its column is cut there. Who gives a column another width
// has to say so here.
func TestNumbersAreSaidToBeCutWhereTheirColumnIsNarrower(t *testing.T) {
	definition, err := os.ReadFile(filepath.Join("..", "..", "schema", "0014_flows_raw_order.up.sql"))
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{}
	for _, match := range regexp.MustCompile("`(\\w+)` (UInt8|UInt16)\\b").FindAllStringSubmatch(string(definition), -1) {
		columns[match[1]] = match[2]
	}
	m := flow()
	fields := m.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		width, narrow := columns[column(string(field.Name()))]
		if !narrow || field.Name() == "MPLSCount" { // which is at most 255 by what the view makes of it
			continue
		}
		m := flow()
		unknown := protowire.AppendVarint(protowire.AppendTag(nil, field.Number(), protowire.VarintType), 1<<31|7)
		if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(unknown, m); err != nil {
			t.Fatal(err)
		}
		said := false
		for _, problem := range validate.Flow(m, now) {
			bits := strings.TrimPrefix(width, "UInt")
			said = said || problem.Field == string(field.Name()) && problem.Effect == "its lower "+bits+" bits are stored"
		}
		if !said {
			t.Errorf("%s: nothing says that %s cuts it: %v", field.Name(), width, validate.Flow(m, now))
		}
	}
}

// column returns the column of flows_raw that a field is stored in.
func column(field string) string {
	if inner, found := strings.CutSuffix(field, "Encap"); found {
		field = "Inner" + inner
	}
	return strings.ReplaceAll(field, "Etype", "EType")
}
