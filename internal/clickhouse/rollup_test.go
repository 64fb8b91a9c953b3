package clickhouse_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// sumsOf are the rows that a rollup should have, by flows_raw, and those that it has.
func sumsOf(start, table string) (should, has string) {
	const keys = "SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto, port, SrcAS, DstAS"
	return `SELECT ` + start + `(TimeReceived) AS time, ` + strings.Replace(keys, "port", "servicePort(Proto, SrcPort, DstPort) AS port", 1) + `, count(), sum(Bytes * SamplingRate), sum(Packets * SamplingRate)
			FROM flows_raw GROUP BY time, ` + keys,
		`SELECT TimeReceived AS time, ` + strings.Replace(keys, "port", "ServicePort AS port", 1) + `, sum(Flows), sum(Bytes), sum(Packets)
			FROM ` + table + ` GROUP BY time, ` + keys
}

// compareRollups fails the test where a rollup is not what flows_raw makes it.
func compareRollups(t *testing.T, db *sql.DB) {
	t.Helper()
	for table, start := range map[string]string{"flows_1m": "toStartOfMinute", "flows_1h": "toStartOfHour"} {
		should, has := sumsOf(start, table)
		missing := query[uint64](t, db, "SELECT count() FROM ("+should+" EXCEPT "+has+")")
		wrong := query[uint64](t, db, "SELECT count() FROM ("+has+" EXCEPT "+should+")")
		if missing != 0 || wrong != 0 {
			t.Errorf("%s: %d rows are missing, %d are wrong", table, missing, wrong)
		}
		if rows := query[uint64](t, db, "SELECT count() FROM "+table); rows == 0 {
			t.Errorf("%s is empty", table)
		}
	}
}

func TestRollupsEqualFlowsToTheUnitAlsoOutOfOrderAndReplayed(t *testing.T) {
	db, broker := migrated(t)
	const flows = 30_000
	messages := invented(t, time.Now(), flows)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	publish(t, broker, messages...)
	waitFor(t, db, flows, "SELECT sum(Flows) FROM flows_1h")
	compareRollups(t, db)

	// A group that Kafka does not know reads everything again.
	again := settings(broker.ListenAddrs()[0])
	again.Group = "again"
	if err := clickhouse.ConfigureKafka(t.Context(), db, again); err != nil {
		t.Fatal(err)
	}
	waitFor(t, db, 2*flows, "SELECT sum(Flows) FROM flows_1h")
	compareRollups(t, db)

	before := query[uint64](t, db, "SELECT count() FROM flows_1h")
	exec(t, db, "OPTIMIZE TABLE flows_1m FINAL")
	exec(t, db, "OPTIMIZE TABLE flows_1h FINAL")
	compareRollups(t, db)
	if after := query[uint64](t, db, "SELECT count() FROM flows_1h"); after >= before {
		t.Errorf("%d rows of an hour were not merged, %d are left", before, after)
	}
}

// Sums by interface are a projection, which is made anew when minutes are merged.
func TestSumsByInterfaceAreThoseOfTheMinutes(t *testing.T) {
	db, _ := migrated(t)
	sums := func(settings string) string {
		const keys = "TimeReceived, SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto"
		return query[string](t, db, `SELECT toString((count(), groupBitXor(hash))) FROM
			(SELECT cityHash64(`+keys+`, sum(Flows), sum(Bytes), sum(Packets)) AS hash FROM flows_1m GROUP BY `+keys+`) SETTINGS `+settings)
	}
	compare := func(when string) {
		t.Helper()
		if got, want := sums("force_optimize_projection = 1"), sums("optimize_use_projections = 0"); got != want {
			t.Errorf("%s: sums by interface are %s, those of the minutes %s", when, got, want)
		}
	}
	insertFlows(t, db, 10_000, 2)
	insertFlows(t, db, 10_000, 2)
	compare("stored")
	before := query[uint64](t, db, "SELECT count() FROM flows_1m")
	exec(t, db, "OPTIMIZE TABLE flows_1m FINAL")
	if after := query[uint64](t, db, "SELECT count() FROM flows_1m"); after >= before {
		t.Errorf("%d rows were not merged, %d are left", before, after)
	}
	compare("merged")

	// What was stored before there was one gets it.
	exec(t, db, "ALTER TABLE flows_1m CLEAR PROJECTION interfaces SETTINGS mutations_sync = 1")
	exec(t, db, "ALTER TABLE flows_1m MATERIALIZE PROJECTION interfaces SETTINGS mutations_sync = 1")
	compare("filled")
}

// insertFlows stores flows of the last hours, without Kafka.
func insertFlows(t *testing.T, db *sql.DB, flows, hours int) {
	t.Helper()
	exec(t, db, fmt.Sprintf(`
		INSERT INTO flows_raw (TimeReceived, SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto, SrcPort, DstPort, SrcAS, DstAS, Bytes, Packets, SamplingRate)
		SELECT now() - number %% (%d * 3600), toIPv6('192.0.2.' || number %% 3), number %% 5, number %% 7, number %% 2, 2048, if(number %% 3 = 0, 6, 17),
			1024 + number %% 60000, [443, 53, 22, 600, 40000][1 + number %% 5], 64500 + number %% 11, 64600 + number %% 13, number, 1 + number %% 9, 1000
		FROM numbers(%d)`, hours, flows))
}

// The service of a flow is the same in all tables.
func TestServicePortAgreesWithServiceName(t *testing.T) {
	db, _ := migrated(t)
	if n := query[uint64](t, db, "SELECT countIf(isKnownPort(number) != (portName(6, number) != '') OR isKnownPort(number) < (portName(17, number) != '')) FROM numbers(65536)"); n != 0 {
		t.Errorf("isKnownPort does not know %d ports that portName knows, or the other way round", n)
	}
	const pairs = `
		FROM
		(
			SELECT
				arrayJoin([0, 1, 6, 17, 33, 132, 136, 255]) AS protocol,
				arrayJoin([0, 1, 2, 53, 80, 443, 512, 600, 1022, 1023, 1024, 3306, 8080, 40000, 51820, 65535, 4294967295]) AS port1,
				arrayJoin([0, 1, 2, 53, 80, 443, 512, 600, 1022, 1023, 1024, 3306, 8080, 40000, 51820, 65535, 4294967295]) AS port2
		)`
	if n := query[uint64](t, db, "SELECT countIf(servicePort(protocol, port1, port2) != 0 AND serviceName(protocol, servicePort(protocol, port1, port2), 0) != serviceName(protocol, port1, port2))"+pairs); n != 0 {
		t.Errorf("%d pairs of ports have another service", n)
	}
	if n := query[uint64](t, db, "SELECT countIf(servicePort(protocol, port1, port2) = 0 AND match(serviceName(protocol, port1, port2), '[a-z]|^[0-9]{1,3}$'))"+pairs); n != 0 {
		t.Errorf("%d pairs of ports have a service that servicePort does not find", n)
	}
	if n := query[uint64](t, db, "SELECT countIf(servicePort(protocol, port1, port2) != servicePort(protocol, port2, port1))"+pairs); n != 0 {
		t.Errorf("%d pairs of ports have another service in the other direction", n)
	}
}

func TestViewsOfRollupsAddUpToTheFlows(t *testing.T) {
	db, _ := migrated(t)
	insertFlows(t, db, 10_000, 2)
	const sums = "SELECT toString((sum(Bytes), sum(Packets), sum(Bits), %s)) FROM %s WHERE Service = 'https' AND Exporter = '192.0.2.1' AND Transport = 'UDP' AND Network = 'IPv4' AND SourceASN = 64503"
	want := query[string](t, db, fmt.Sprintf(sums, "count()", "flows"))
	if want == "(0,0,0,0)" {
		t.Fatal("there is no such flow")
	}
	for _, view := range []string{"flows_minutes", "flows_hours"} {
		if got := query[string](t, db, fmt.Sprintf(sums, "sum(Flows)", view)); got != want {
			t.Errorf("%s has %s, flows has %s", view, got, want)
		}
	}
}

// A query of an hour must not read the whole day.
func TestQueriesOfRollupsReadOnlyTheirPartOfTheTable(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, `INSERT INTO flows_1m (TimeReceived, SamplerAddress, InIf, Flows)
		SELECT toDateTime('2030-05-01 00:00:00', 'UTC') + number % 1440 * 60, toIPv6('192.0.2.' || number % 100), intDiv(number, 1440), 1 FROM numbers(1440 * 500)`)
	exec(t, db, `OPTIMIZE TABLE flows_1m FINAL`)
	for filter, most := range map[string]uint64{
		"Time >= '2030-05-01 14:00:00' AND Time < '2030-05-01 15:00:00'":             80_000,
		"SamplerAddress = parseAddress('192.0.2.7') AND toDate(Time) = '2030-05-01'": 500_000,
		"Time >= '2030-05-02 00:00:00'":                                              0,
	} {
		rows := query[uint64](t, db, "SELECT sum(rows) FROM (EXPLAIN ESTIMATE SELECT sum(Bytes) FROM flows_minutes WHERE "+filter+")")
		if rows > most {
			t.Errorf("%s: %d rows of 720000 would be read", filter, rows)
		}
	}
}
