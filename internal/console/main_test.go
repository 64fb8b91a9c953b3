package console

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// newDatabase returns a database of its own for the test, with NetMeta's schema: a
// client that may write, and the read-only one that the console gets. Kafka is at
// an address where nothing listens.
func newDatabase(t *testing.T) (write, read *sql.DB) {
	t.Helper()
	ctx, engine, name := context.Background(), chdbtest.Engine(t), chdbtest.Database(t)
	write = open(t, chhttp.New(engine, chhttp.Options{}), name)
	must(t, clickhouse.ConfigureKafka(ctx, write, clickhouse.Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: "flow-messages", CountersTopic: "interface-counters", Group: "test"}))
	must(t, clickhouse.Migrate(ctx, write))
	return write, open(t, chhttp.New(engine, chhttp.Options{ReadOnly: true}), name)
}

func open(t *testing.T, handler http.Handler, database string) *sql.DB {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(server.URL + "/" + database)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// row is a row of flows_raw with what the console reads; zero fields get values
// that tests need not care about.
type row struct {
	at         int64 // TimeReceived, seconds since 1970
	protocol   string
	exporter   string
	rate       uint64
	rateSource string
	out        bool
	bytes      uint64
	packets    uint64
	src, dst   string
	proto      uint8
	srcPort    uint32
	dstPort    uint32
	srcAS      uint32
}

func insert(t *testing.T, db *sql.DB, flows ...row) {
	t.Helper()
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	for _, f := range flows {
		direction := 0
		if f.out {
			direction = 1
		}
		_, err := db.Exec(`INSERT INTO flows_raw
			(TimeReceived, FlowType, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, Bytes, Packets, SrcAddr, DstAddr, Proto, SrcPort, DstPort, SrcAS)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			f.at, or(f.protocol, "SFLOW_5"), or(f.exporter, "::ffff:192.0.2.1"), max(f.rate, 1), or(f.rateSource, "packet"), direction,
			f.bytes, f.packets, or(f.src, "::ffff:198.51.100.1"), or(f.dst, "::ffff:203.0.113.1"), f.proto, f.srcPort, f.dstPort, f.srcAS)
		must(t, err)
	}
}

// testConfig is a console on db in which everything is well.
func testConfig(db *sql.DB) Config {
	return Config{
		DB:             db,
		Gatherer:       prometheus.NewRegistry(),
		Lag:            func(context.Context) (int64, error) { return 0, nil },
		Ready:          func(context.Context) error { return nil },
		Listeners:      []Listener{{Name: ListenSFlow, Address: "[::]:6343"}, {Name: ListenNetFlow, Address: "[::]:2055"}},
		ClickHouseHTTP: "127.0.0.1:8123",
	}
}

// testSpan is the window that tests fill. It is recent, because a flow that is past
// its retention is not stored.
var testSpan = func() span {
	from := time.Now().Add(-2 * time.Hour).Truncate(time.Hour).Unix()
	return span{from: from, to: from + 900, bucket: 10, slot: 30}
}()
