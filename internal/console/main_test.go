package console

import (
	"context"
	"database/sql"
	"embed"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
	"github.com/leoluk/NetMeta/internal/query"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// newConfig returns a console on a database of its own, in which everything is well,
// with a client that may write.
func newConfig(t *testing.T) (config Config, write *sql.DB) {
	t.Helper()
	write, read := clickhousetest.Migrated(t)
	var name string
	must(t, write.QueryRow(`SELECT currentDatabase()`).Scan(&name))
	config = testConfig(read)
	config.ClickHouse = client(t, serve(t, chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: true}))+"/"+name)
	config.Dashboards = []*dashboard.Dashboard{testDashboard(t)}
	return config, write
}

// bareConfig is newConfig with a database in which there is nothing, which is made
// sooner.
func bareConfig(t *testing.T) Config {
	t.Helper()
	server := serve(t, chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: true})) + "/" + chdbtest.Database(t)
	config := testConfig(open(t, server))
	config.ClickHouse = client(t, server)
	config.Dashboards = []*dashboard.Dashboard{testDashboard(t)}
	return config
}

// serve returns the URL of a server with handler.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := clickhouse.Open(address)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func client(t *testing.T, address string) *query.Client {
	t.Helper()
	endpoint, err := clickhouse.ParseEndpoint(address)
	must(t, err)
	return query.NewClient(endpoint)
}

// testDashboard has a chart, a table, and variables of all kinds.
func testDashboard(t *testing.T) *dashboard.Dashboard {
	t.Helper()
	content, err := testFiles.ReadFile("testdata/netmeta-test.json")
	must(t, err)
	d, err := dashboard.Parse(content)
	must(t, err)
	return d
}

// testFiles are embedded because the engine changes the working directory.
//
//go:embed testdata
var testFiles embed.FS

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
			(TimeReceived, FlowType, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, Bytes, Packets, SrcAddr, DstAddr, Proto, SrcPort)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			f.at, or(f.protocol, "SFLOW_5"), or(f.exporter, "::ffff:192.0.2.1"), max(f.rate, 1), or(f.rateSource, "packet"), direction,
			f.bytes, f.packets, or(f.src, "::ffff:198.51.100.1"), or(f.dst, "::ffff:203.0.113.1"), f.proto, f.srcPort)
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
