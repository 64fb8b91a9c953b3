//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// staging is the database with NetMeta's own schema. Flows come in through its Kafka
// table and its view, and wait in the table block until each design has stored them.
const staging = "staging"

// stage makes rows of flows as production does: Kafka, Kafka engine, view.
type stage struct {
	engine
	broker *broker.Broker
	server *http.Server
	writer *kafka.Writer
	parsed spent // from a Kafka message to rows, without storing them
}

// openStage starts a broker and migrates the staging database. close has to be called
// also where it fails.
func openStage(ctx context.Context, e engine, dir string) (s *stage, err error) {
	s = &stage{engine: e}
	s.broker, err = broker.Start(ctx, broker.Options{
		Address: "127.0.0.1:0", DataDir: filepath.Join(dir, "kafka"), Topics: []broker.Topic{
			{Name: flow.Topic, Partitions: 1, RetentionBytes: 512 << 20},
			{Name: flow.CountersTopic, Partitions: 1},
			{Name: flow.PipelineTopic, Partitions: 1},
			{Name: flow.TracesTopic, Partitions: 1},
		},
	})
	if err != nil {
		return s, err
	}
	s.writer = &kafka.Writer{
		Addr: kafka.TCP(s.broker.Address()), Topic: flow.Topic, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, BatchBytes: 900_000, Compression: kafka.Lz4,
	}
	if err := e.run(ctx, "default", "CREATE DATABASE "+staging); err != nil {
		return s, err
	}
	if err := s.migrate(ctx); err != nil {
		return s, err
	}
	return s, s.redirect(ctx)
}

func (s *stage) close() {
	if s.writer != nil {
		s.writer.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
	if s.broker != nil {
		s.broker.Close()
	}
}

// migrate creates NetMeta's schema, as netmeta migrate does.
func (s *stage) migrate(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve ClickHouse's HTTP interface: %w", err)
	}
	s.server = &http.Server{Handler: chhttp.New(s.Engine, chhttp.Options{}), ReadHeaderTimeout: time.Minute}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("serve ClickHouse's HTTP interface on %s: %v", listener.Addr(), err))
		}
	}()
	var db *sql.DB
	if db, err = clickhouse.Open("http://" + listener.Addr().String() + "/" + staging); err != nil {
		return err
	}
	defer db.Close()
	err = clickhouse.ConfigureKafka(ctx, db, clickhouse.Kafka{
		Brokers: []string{s.broker.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup,
	})
	if err != nil {
		return err
	}
	return clickhouse.Migrate(ctx, db)
}

// redirect makes the view of flows_raw fill the table arriving, which is in memory.
func (s *stage) redirect(ctx context.Context) error {
	selected, err := s.text(ctx, staging, "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw_view' FORMAT TabSeparatedRaw")
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"CREATE TABLE arriving AS flows_raw ENGINE = Memory",
		"CREATE TABLE block AS flows_raw ENGINE = Memory",
		"DROP VIEW flows_raw_view SYNC",
		"CREATE MATERIALIZED VIEW arriving_view TO arriving AS " + selected,
	} {
		if err := s.run(ctx, staging, sql); err != nil {
			return err
		}
	}
	return nil
}

// put sends a block through Kafka, waits until all of it has come out and replaces the
// table block by it. It returns how many rows that are: on a very busy machine Kafka may
// deliver something twice.
func (s *stage) put(ctx context.Context, b block) (rows int, err error) {
	messages := make([]kafka.Message, len(b.messages))
	for i, m := range b.messages {
		messages[i].Value = m
	}
	took, err := timed(func() error {
		if err := s.writer.WriteMessages(ctx, messages...); err != nil {
			return fmt.Errorf("write %d messages to the broker: %w", len(messages), err)
		}
		return s.arrived(ctx, b.rows)
	})
	s.parsed.add(took)
	if err != nil {
		return 0, err
	}
	// Not EXCHANGE: what ClickHouse has begun to consume goes to the table that was called
	// arriving then.
	for _, sql := range []string{"TRUNCATE TABLE block", "INSERT INTO block SELECT * FROM arriving SETTINGS max_threads = 1, max_insert_threads = 1", "TRUNCATE TABLE arriving"} {
		if err := s.run(ctx, staging, sql); err != nil {
			return 0, err
		}
	}
	n, err := s.number(ctx, staging, "SELECT count() FROM block")
	return int(n), err
}

// patience is how long flows may take through the broker and the view.
const patience = 5 * time.Minute

func (s *stage) arrived(ctx context.Context, rows int) error {
	got := 0.0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if got, err = s.number(ctx, staging, "SELECT count() FROM arriving"); err != nil || int(got) >= rows {
			return err
		}
	}
	return fmt.Errorf("after %s ClickHouse has %.0f of %d flows from the broker", patience, got, rows)
}
