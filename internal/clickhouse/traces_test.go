package clickhouse_test

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer/scamper"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
	"github.com/leoluk/NetMeta/pb"
)

// The engine changes the working directory.
var (
	measurements, measurementsErr = os.ReadFile("../importer/scamper/testdata/measurements.hex")
	importPage, importPageErr     = os.ReadFile("../../doc/import.md")
)

// Hops are at 192.0.2.1 (the first, twice), nothing at 2, then 198.51.100.1 and the
// destination 203.0.113.7.
func aTrace() *pb.Trace {
	return &pb.Trace{
		Time: uint64(time.Now().Unix()), Kind: pb.Trace_TRACE, Method: "udp-paris", StopReason: "completed",
		SrcAddr: []byte{192, 0, 2, 9}, DstAddr: []byte{203, 0, 113, 7},
		HopTTL: []uint32{1, 1, 3, 4}, HopAttempt: []uint32{1, 2, 1, 1},
		HopAddress: [][]byte{{192, 0, 2, 1}, {192, 0, 2, 2}, {198, 51, 100, 1}, {203, 0, 113, 7}},
		HopRTT:     []uint32{100, 110, 2000, 3000},
		MPLSHop:    []uint32{3, 3}, MPLSLabel: []uint32{16001, 24},
	}
}

func TestTracesKnowTheirPathTheirASNumbersAndTheirEnd(t *testing.T) {
	db, broker := migrated(t)
	var table route.Builder
	for prefix, asn := range map[string]uint32{"192.0.2.0/24": 64500, "198.51.100.0/25": 64501, "203.0.113.0/24": 64502} {
		table.Add(netip.MustParsePrefix(prefix), []mrt.Origin{{ASN: asn, Peers: 1}})
	}
	if err := load.New(db).Routes(t.Context(), table.Routes(), time.Now(), "test"); err != nil {
		t.Fatal(err)
	}
	silent := aTrace()
	silent.StopReason, silent.HopAddress[3] = "gaplimit", []byte{198, 51, 100, 200}
	publishTo(t, broker, flow.TracesTopic, delimited(t, aTrace(), silent,
		&pb.Trace{Time: uint64(time.Now().Unix()), Kind: pb.Trace_PING, DstAddr: []byte{203, 0, 113, 7}, Sent: 4, Replies: 3, RTTMin: 10, RTTAvg: 20, RTTMax: 30}))
	waitFor(t, db, 3, "SELECT count() FROM traces")
	for expression, want := range map[string]string{
		"toString(Path)":      "['::ffff:192.0.2.1','::','::ffff:198.51.100.1','::ffff:203.0.113.7']",
		"toString(HopAS)":     "[64500,64500,64501,64502]",
		"toString(ASPath)":    "[64500,64501,64502]",
		"toString(DstAS)":     "64502",
		"toString(RTT)":       "3000",
		"toString(Reached)":   "true",
		"toString(MPLSLabel)": "[16001,24]",
	} {
		if got := query[string](t, db, "SELECT "+expression+" FROM traces WHERE StopReason = 'completed'"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
	for condition, want := range map[string]string{
		"StopReason = 'gaplimit'": "false 0 [64500,64501]",
		"Kind = 'ping'":           "true 20 []",
	} {
		if got := query[string](t, db, "SELECT concat(toString(Reached), ' ', toString(RTT), ' ', toString(ASPath)) FROM traces WHERE "+condition); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
}

func TestImportedMeasurementsAreRowsOnce(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "ALTER TABLE traces REMOVE TTL") // the file is from a certain day
	warts, err := hex.DecodeString(strings.ReplaceAll(string(measurements), "\n", ""))
	if err := errors.Join(err, measurementsErr); err != nil {
		t.Fatal(err)
	}
	if sent := importLog(t, broker.ListenAddrs(), t.TempDir(), scamper.Format(scamper.Options{}), string(warts)); sent != 28 {
		t.Errorf("%d measurements are sent, want 28", sent)
	}
	waitFor(t, db, 28, "SELECT count() FROM traces")
	const icmp = "FROM traces WHERE UserID = 77"
	for statement, want := range map[string]string{
		"SELECT arrayStringConcat(arrayMap(a -> addressToString(a), Path), ' ') " + icmp:                  "10.88.0.2 10.88.1.2 10.88.2.2 10.88.3.2",
		"SELECT concat(Monitor, ' ', List, ' ', Method, ' ', StopReason, ' ', toString(Reached)) " + icmp: "ams1 paths icmp-echo-paris completed true",
		"SELECT toString(RTT = HopRTT[4] AND RTT > 0) " + icmp:                                            "1",
		"SELECT toString(countIf(Reached)) FROM traces WHERE Kind = 'ping'":                               "15",
		"SELECT toString(count()) FROM flows_errors":                                                      "0",
	} {
		if got := query[string](t, db, statement); got != want {
			t.Errorf("%s: %s, want %s", statement, got, want)
		}
	}
}

// As it stands in doc/import.md, but for the address.
func TestQuestionAboutTracesInTheDocumentationHasAnAnswer(t *testing.T) {
	db, broker := migrated(t)
	publishTo(t, broker, flow.TracesTopic, delimited(t, aTrace()))
	waitFor(t, db, 1, "SELECT count() FROM traces")
	if importPageErr != nil {
		t.Fatal(importPageErr)
	}
	_, rest, _ := strings.Cut(string(importPage), "## scamper")
	_, rest, _ = strings.Cut(rest, "```sql\n")
	question, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no question")
	}
	question = strings.Replace(question, "192.0.2.7", "203.0.113.7", 1)
	if n := query[uint64](t, db, "SELECT count() FROM ("+question+")"); n != 4 {
		t.Errorf("the answer has %d rows, want one for each of 4 hops", n)
	}
}

func TestTracesThatNoImporterWouldSendBecomeRows(t *testing.T) {
	db, broker := migrated(t)
	uneven := aTrace()
	uneven.HopTTL, uneven.HopRTT, uneven.MPLSLabel = []uint32{1 << 20, 300}, make([]uint32, 100), nil
	publishTo(t, broker, flow.TracesTopic, delimited(t, &pb.Trace{}, uneven,
		&pb.Trace{Time: 1<<64 - 1, Kind: 77, SrcAddr: make([]byte, 7), DstAddr: make([]byte, 40), HopAddress: [][]byte{{}, {1}}, MPLSHop: []uint32{1 << 31}},
	))
	waitFor(t, db, 3, "SELECT count() FROM traces WHERE abs(dateDiff('second', TimeReceived, now())) < 600")
	const lengths = "arrayUniq([length(HopTTL), length(HopAttempt), length(HopAddress), length(HopAS), length(HopRTT), length(HopReplyTTL), length(HopICMPType), length(HopICMPCode)])"
	if n := query[uint64](t, db, "SELECT count() FROM traces WHERE "+lengths+" > 1 OR length(MPLSHop) != length(MPLSLabel) OR length(Path) > 256"); n != 0 {
		t.Errorf("%d rows have hops of several lengths", n)
	}
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages could not be parsed", n)
	}
}
