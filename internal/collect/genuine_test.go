package collect_test

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/kafkatest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

const acknowledgedTotal = "netmeta_queue_flows_acknowledged_total"

func TestTheWholePathThroughAGenuineKafka(t *testing.T) {
	bootstrap, broker := kafkatest.Start(t)
	t.Logf("Apache Kafka %s", broker.Version)
	brokers := []string{bootstrap}
	kafkatest.CreateTopic(t, brokers, flow.Topic, 4)
	db := openEngine(t)
	if err := clickhouse.ConfigureKafka(t.Context(), db, clickhouse.Kafka{Brokers: brokers, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}); err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	p := openQueue(t, queue.Config{Brokers: brokers})
	c := startCollector(t, p)

	t.Run("undisturbed", func(t *testing.T) {
		acknowledged := counted(t, acknowledgedTotal)
		sent := sendAll(t, c, 20_000, 10_000)
		poll(t, "all flows to be acknowledged", func() bool { return acknowledged() == sent.records() })
		wantStored(t, db, p, sent)
	})
	t.Run("broker killed in the middle", func(t *testing.T) {
		if _, err := db.ExecContext(t.Context(), "TRUNCATE TABLE flows_raw"); err != nil {
			t.Fatal(err)
		}
		acknowledged := counted(t, acknowledgedTotal)
		sent := sendAllAndKill(t, c, broker)
		poll(t, "all flows to be acknowledged", func() bool { return acknowledged() == sent.records() })
		wantStored(t, db, p, sent)
	})
	c.Stop()
	closeQueue(t, p)
}

// sendAllAndKill kills the broker when half of the flows are acknowledged, and starts
// it again while the rest is sent.
func sendAllAndKill(t *testing.T, c *collect.Collector, broker *kafkatest.Broker) traffic {
	t.Helper()
	acknowledged, retries := counted(t, acknowledgedTotal), counted(t, "netmeta_queue_retries_total")
	const flows = 40_000
	var sent traffic
	done := make(chan struct{})
	go func() {
		defer close(done)
		sent = sendAll(t, c, flows, 10_000)
	}()
	poll(t, "half of the flows to be acknowledged", func() bool { return acknowledged() > len(protocols)*flows/2 })
	broker.Restart()
	<-done
	if retries() == 0 {
		t.Error("the queue never had to try again; the test shows nothing")
	}
	return sent
}

// openEngine returns a client of the ClickHouse engine, by its HTTP interface.
func openEngine(t *testing.T) *sql.DB {
	t.Helper()
	lib, err := chdb.Find("")
	if err != nil {
		t.Fatal(err, "(scripts/test.sh installs it)")
	}
	engine, err := chdb.Open(lib, t.TempDir(), chdb.Options{
		Server: map[string]string{"display_secrets_in_show_and_select": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	server := httptest.NewServer(chhttp.New(engine, chhttp.Options{}))
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// wantStored waits until ClickHouse has stored all that the topic holds, after which
// nothing can come twice any more, and compares that with what was sent.
func wantStored(t *testing.T, db *sql.DB, p *queue.Producer, sent traffic) {
	t.Helper()
	poll(t, "ClickHouse to have read everything", func() bool {
		lags, err := p.Lag(t.Context(), clickhouse.DefaultGroup)
		if err != nil {
			t.Logf("ask how far ClickHouse is: %v", err)
			return false
		}
		behind := int64(0)
		for _, l := range lags {
			behind += l.Lag()
		}
		return behind == 0
	})
	wantSame(t, sent, readTable(t, db))
}

// readTable sums what flows_raw holds.
func readTable(t *testing.T, db *sql.DB) traffic {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT toString(FlowType), toString(SamplerAddress), count(), sum(Bytes), sum(Packets), sum(Bytes * SamplingRate)
		FROM flows_raw
		GROUP BY FlowType, SamplerAddress`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	stored := traffic{}
	for rows.Next() {
		var flowType, address string
		var e generate.Totals
		if err := rows.Scan(&flowType, &address, &e.Records, &e.Bytes, &e.Packets, &e.ScaledBytes); err != nil {
			t.Fatal(err)
		}
		if e.Address, err = netip.ParseAddr(address); err != nil {
			t.Fatal(fmt.Errorf("exporter of %s: %w", flowType, err))
		}
		e.Address = e.Address.Unmap()
		stored[source{flowType, e.Address}] = e
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return stored
}
