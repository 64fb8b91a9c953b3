package clickhouse_test

import (
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/validate"
)

func good(n uint64) *pb.FlowMessage {
	return &pb.FlowMessage{Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, Bytes: n, Packets: 1}
}

func goodCounters(n uint64) *pb.InterfaceCounters {
	return &pb.InterfaceCounters{TimeReceived: uint64(time.Now().Unix()), Interface: 1, InOctets: n}
}

func goodPipeline(n float64) *pb.PipelineCounter {
	return &pb.PipelineCounter{Time: uint64(time.Now().Unix()), Metric: "netmeta_x_total", Labels: map[string]string{"a": "b"}, Value: n, Increase: n}
}

func goodTrace(n uint32) *pb.Trace {
	return &pb.Trace{Time: uint64(time.Now().Unix()), Kind: pb.Trace_TRACE, Sent: n, DstAddr: []byte{192, 0, 2, 1}, HopTTL: []uint32{1}, HopAddress: [][]byte{{192, 0, 2, 9}}}
}

func TestValuesThatNoCollectorWouldSendBecomeRows(t *testing.T) {
	db, broker := migrated(t)
	odd := map[string]*pb.FlowMessage{
		"unknown flow type":         {Type: 77},
		"unknown rate source":       {SamplingRateSource: 99, SamplingRate: 5},
		"address of 7 bytes":        {SrcAddr: []byte{1, 2, 3, 4, 5, 6, 7}},
		"address of 40 bytes":       {DstAddr: make([]byte, 40)},
		"no time":                   {TimeReceived: 0},
		"time in milliseconds":      {TimeReceived: uint64(time.Now().UnixMilli())},
		"largest time":              {TimeReceived: 1<<64 - 1},
		"prefix length beyond byte": {SrcNet: 1 << 20},
		"largest counters":          {Bytes: 1<<64 - 1, Packets: 1<<64 - 1, SamplingRate: 1<<64 - 1},
	}
	var values [][]byte
	for what, message := range odd {
		values = append(values, delimited(t, message))
		if validate.Flow(message, time.Now()) == nil {
			t.Errorf("%s: validation finds nothing wrong", what)
		}
	}
	publish(t, broker, values...)
	waitFor(t, db, uint64(len(odd)), "SELECT count() FROM flows_raw")

	for what, condition := range map[string]string{
		"a row whose time is not about now":      "abs(dateDiff('second', TimeReceived, now())) > 600",
		"a row with sampling rate 0":             "SamplingRate = 0",
		"an assumed rate not marked as unknown":  "SamplingRate = 1 AND SamplingRateSource != 'unknown'",
		"an address out of bytes that were none": "SrcAddr != toIPv6('::') OR DstAddr != toIPv6('::')",
	} {
		if n := query[uint64](t, db, "SELECT count() FROM flows_raw WHERE "+condition); n != 0 {
			t.Errorf("%d rows: %s", n, what)
		}
	}
}

func TestClockOfAProducerThatIsYearsOffHidesNothing(t *testing.T) {
	db, broker := migrated(t)
	for _, clock := range []time.Time{time.Unix(1, 0), time.Now().AddDate(20, 0, 0)} {
		publishAt(t, broker, flow.Topic, clock, delimited(t, &pb.FlowMessage{Bytes: 1}), []byte("not a message"))
	}
	waitFor(t, db, 2, "SELECT count() FROM flows_raw WHERE abs(dateDiff('second', TimeReceived, now())) < 600")
	waitFor(t, db, 2, "SELECT count() FROM flows_errors WHERE abs(dateDiff('second', TimeReceived, now())) < 600")
}

func TestCountersWithoutATimeHaveThatOfTheMessage(t *testing.T) {
	db, broker := migrated(t)
	publishTo(t, broker, flow.CountersTopic, delimited(t, &pb.InterfaceCounters{}, &pb.InterfaceCounters{TimeReceived: 1<<64 - 1}))
	waitFor(t, db, 2, "SELECT count() FROM interface_counters WHERE abs(dateDiff('second', TimeReceived, now())) < 600")
}

func TestPipelineCountersWithoutATimeHaveThatOfTheMessage(t *testing.T) {
	db, broker := migrated(t)
	publishTo(t, broker, flow.PipelineTopic, delimited(t, &pb.PipelineCounter{}, &pb.PipelineCounter{Time: 1<<64 - 1, Started: 1<<64 - 1}))
	waitFor(t, db, 2, "SELECT count() FROM pipeline_counters WHERE abs(dateDiff('second', Time, now())) < 600")
}

func TestFlowsFromHundredsOfDaysAreStoredInOneGo(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE flows_raw REMOVE TTL")
	var flows []*pb.FlowMessage
	for day := range uint64(400) {
		f := good(1)
		f.TimeReceived -= day * 86400
		flows = append(flows, f)
	}
	publish(t, broker, delimited(t, flows...))
	waitFor(t, db, 400, "SELECT count() FROM flows_raw")
}

func TestOnlyTheLengthTellsIPv4FromIPv6(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, &pb.FlowMessage{
		TimeReceived: uint64(time.Now().Unix()),
		SrcAddr:      append([]byte{0x20, 0x01, 0x0d, 0xb8}, make([]byte, 12)...),
		DstAddr:      []byte{0, 0, 0, 0},
		NextHop:      []byte{192, 0, 2, 9},
	}))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
	for column, want := range map[string]string{"SrcAddr": "2001:db8::", "DstAddr": "::ffff:0.0.0.0", "NextHop": "::ffff:192.0.2.9", "SamplerAddress": "::"} {
		if got := query[string](t, db, "SELECT toString("+column+") FROM flows_raw"); got != want {
			t.Errorf("%s is %s, want %s", column, got, want)
		}
	}
}
