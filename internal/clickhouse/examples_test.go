package clickhouse_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// examples is the page with queries; it is read before the engine changes the working
// directory.
var examples, examplesErr = os.ReadFile("../../doc/sql.md")

// documented returns the queries of the page.
func documented(t *testing.T) []string {
	t.Helper()
	if examplesErr != nil {
		t.Fatal(examplesErr)
	}
	var queries []string
	for _, match := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(examples), -1) {
		queries = append(queries, match[1])
	}
	if len(queries) < 8 {
		t.Fatalf("%d queries are in doc/sql.md", len(queries))
	}
	return queries
}

func TestEveryDocumentedQueryRuns(t *testing.T) {
	db, _ := migrated(t)
	for _, statement := range documented(t) {
		if _, err := db.ExecContext(t.Context(), statement+" FORMAT Null"); err != nil {
			t.Errorf("%s\n%v", statement, err)
		}
	}
}

func TestDocumentedQueryFindsTheInterfaceThatIsSampledBadly(t *testing.T) {
	var comparison string
	for _, statement := range documented(t) {
		if strings.Contains(statement, "deviation_percent") {
			comparison = statement
		}
	}
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	exporter := []byte{192, 0, 2, 1}
	var flows, counters []proto.Message
	// The first half came before the first counters, which say nothing about it.
	for i := range uint64(800) {
		flows = append(flows, &pb.FlowMessage{
			TimeReceived: now - 600 + i/400*600, SamplerAddress: exporter, SamplingRate: 100, Bytes: 1000, Packets: 1, InIf: 1, OutIf: 2,
		})
	}
	// Interface 2 sent twice as much as the samples say.
	for i, octets := range []uint64{0, 40_000_000} {
		for number := range uint32(2) {
			counters = append(counters, &pb.InterfaceCounters{
				TimeReceived: now - 20 + 20*uint64(i), SamplerAddress: exporter, SequenceNum: uint32(i), Uptime: 1000 + 20000*uint32(i),
				Interface: 1 + number, InOctets: octets, OutOctets: octets * 2,
			})
		}
	}
	publish(t, broker, delimited(t, flows...))
	publishTo(t, broker, flow.CountersTopic, delimited(t, counters...))
	waitFor(t, db, 800, "SELECT count() FROM flows_raw")
	waitFor(t, db, 4, "SELECT count() FROM interface_counters")
	got := query[string](t, db, "SELECT arrayStringConcat(groupArray(concat(toString(Interface), ' ', Direction, ': ', toString(deviation_percent), ' of ', toString(expected_percent))), ', ') FROM ("+comparison+")")
	if want := "2 out: -50 of 9.8, 1 in: 0 of 9.8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
