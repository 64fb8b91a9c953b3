package clickhouse_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// counterSample is what a test says of one counter sample.
type counterSample struct {
	second  int    // when it was received
	uptime  uint32 // milliseconds
	in      uint64 // octets received
	packets uint32 // unicast, received
}

// trafficOf returns what interface_traffic shows of the traffic that an interface
// received, one line for each interval.
func trafficOf(t *testing.T, db *sql.DB, number int) string {
	t.Helper()
	return query[string](t, db, fmt.Sprintf(`
		SELECT arrayStringConcat(groupArray(line), '\n')
		FROM
		(
			SELECT concat(toString(Seconds), ' s: ', ifNull(toString(Bytes), '?'), ' bytes, ', ifNull(toString(Packets), '?'), ' packets, ', ifNull(toString(BitsPerSecond), '?'), ' bit/s') AS line
			FROM interface_traffic
			WHERE Direction = 'in' AND Interface = %d
			ORDER BY Time
		)`, number))
}

func TestCountersBecomeTraffic(t *testing.T) {
	const full = 1<<64 - 1
	tests := []struct {
		name    string
		samples []counterSample
		want    []string
	}{
		{
			"the agent's clock decides, not when datagrams arrive",
			[]counterSample{{0, 1000, 100, 1}, {22, 21000, 1100, 11}, {40, 41000, 3100, 31}},
			[]string{"20 s: 1000 bytes, 10 packets, 400 bit/s", "20 s: 2000 bytes, 20 packets, 800 bit/s"},
		},
		{
			"packet counters wrap",
			[]counterSample{{0, 1000, 100, 1<<32 - 5}, {10, 11000, 1100, 5}},
			[]string{"10 s: 1000 bytes, 10 packets, 800 bit/s"},
		},
		{
			"a restarted agent is not known for one interval",
			[]counterSample{{0, 500000, 5000, 50}, {20, 3000, 9000, 90}, {40, 23000, 9100, 91}},
			[]string{"20 s: ? bytes, ? packets, ? bit/s", "20 s: 100 bytes, 1 packets, 40 bit/s"},
		},
		{
			"a counter that went back is not known for one interval",
			[]counterSample{{0, 1000, 5000, 50}, {20, 21000, 10, 1}, {40, 41000, 110, 2}},
			[]string{"20 s: ? bytes, ? packets, ? bit/s", "20 s: 100 bytes, 1 packets, 40 bit/s"},
		},
		{
			"a counter that is not kept is not known",
			[]counterSample{{0, 1000, full, 0}, {20, 21000, full, 0}},
			[]string{"20 s: ? bytes, ? packets, ? bit/s"},
		},
		{
			"an agent without a clock is timed by arrival",
			[]counterSample{{0, 0, 100, 1}, {20, 0, 1100, 11}},
			[]string{"20 s: 1000 bytes, 10 packets, 400 bit/s"},
		},
	}
	db, broker := migrated(t)
	start := time.Now().Add(-time.Hour).Unix()
	var messages []proto.Message
	for number, test := range tests {
		for i, s := range test.samples {
			messages = append(messages, &pb.InterfaceCounters{
				TimeReceived: uint64(start + int64(s.second)), SamplerAddress: []byte{192, 0, 2, 1}, SequenceNum: uint32(i + 1), Uptime: s.uptime,
				Interface: uint32(number), Speed: 1e9, InOctets: s.in, InUnicastPackets: s.packets,
			})
		}
	}
	publishTo(t, broker, flow.CountersTopic, delimited(t, messages...))
	waitFor(t, db, uint64(len(messages)), "SELECT count() FROM interface_counters")
	for number, test := range tests {
		if got := trafficOf(t, db, number); got != strings.Join(test.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, strings.Join(test.want, "\n"))
		}
	}
}

func TestCountersThatKafkaDeliversTwiceCountOnce(t *testing.T) {
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	first := &pb.InterfaceCounters{TimeReceived: now, SequenceNum: 1, Uptime: 1000, InOctets: 100, OutOctets: 10}
	second := &pb.InterfaceCounters{TimeReceived: now + 20, SequenceNum: 2, Uptime: 21000, InOctets: 300, OutOctets: 50}
	publishTo(t, broker, flow.CountersTopic, delimited(t, first, second), delimited(t, first, second))
	waitFor(t, db, 4, "SELECT count() FROM interface_counters")
	if got := query[string](t, db, "SELECT arrayStringConcat(arraySort(groupArray(concat(Direction, ' ', toString(Bytes)))), ', ') FROM interface_traffic"); got != "in 200, out 40" {
		t.Errorf("got %q, want one interval with 200 bytes in, 40 out", got)
	}
}

// Reading a week of all interfaces for one would take seconds.
func TestTrafficOfOneInterfaceReadsOnlyItsCounters(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, `
		INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Uptime, SequenceNum)
		SELECT now() - 20 * intDiv(number, 100), toIPv6('192.0.2.1'), number % 100, number, number FROM numbers(500000)`)
	exec(t, db, "OPTIMIZE TABLE interface_counters FINAL")
	explain := query[string](t, db, `
		SELECT arrayStringConcat(groupArray(explain), '\n')
		FROM (EXPLAIN indexes = 1 SELECT * FROM interface_traffic WHERE SamplerAddress = toIPv6('192.0.2.1') AND Interface = 7)`)
	var read, all int
	_, granules, _ := strings.Cut(explain[max(0, strings.Index(explain, "PrimaryKey")):], "Granules: ")
	if _, err := fmt.Sscanf(granules, "%d/%d", &read, &all); err != nil || read*10 > all {
		t.Errorf("reads %d of %d granules (%v):\n%s", read, all, err, explain)
	}
}
