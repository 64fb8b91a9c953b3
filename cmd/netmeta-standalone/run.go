package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/internal/alert"
	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/console"
	"github.com/leoluk/NetMeta/internal/console/access"
	"github.com/leoluk/NetMeta/internal/console/serve"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/query"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

const (
	partitions = 4
	// topicBytes bounds what the broker keeps of flows that ClickHouse has read, or
	// has still to read: half a day of a small site.
	topicBytes = 4 << 30
	// countersTopicBytes holds a day of the counters of a thousand interfaces.
	countersTopicBytes = 512 << 20
	// pipelineTopicBytes holds hours of the counters of a thousand exporters.
	pipelineTopicBytes = 64 << 20
	// tracesTopicBytes holds a million traces, which is more than a monitor makes in a day.
	tracesTopicBytes = 256 << 20
	// flushTimeout is more than the embedded broker ever needs.
	flushTimeout = 20 * time.Second
)

// standalone is the running program: the parts in the order in which they start.
type standalone struct {
	config
	receive   collect.Config // what the flags of collect say
	access    access.Config  // who may use the console
	webhook   *alert.Webhook // nil: none
	dir       *dataDir
	web       net.Listener // of the console
	sql       net.Listener // of ClickHouse's HTTP interface
	metrics   *http.Server
	broker    *broker.Broker
	engine    *chdb.Engine
	db        *sql.DB // may write; not reachable from outside
	producer  *queue.Producer
	collector *collect.Collector

	console       stage
	collecting    atomic.Bool // the collector has started
	historyStored atomic.Bool // of the demo
	diskTooFull   bool        // for --retention-disk, as it was said last
	stops         []func()
}

// run starts everything, waits for ctx to end, and stops everything.
func run(ctx context.Context, c config) error {
	s := &standalone{config: c}
	defer s.stop()
	for _, start := range []func(context.Context) error{
		s.reserve, s.startBroker, s.startEngine, s.migrate, s.startRisinfo, s.keepUp, s.startCollector, s.startNames, s.startConsole,
	} {
		if err := start(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	if s.demo {
		if err := s.playDemo(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	<-ctx.Done()
	slog.Info("standalone: stopping")
	return nil
}

// onStop registers what has to be undone, in reverse order.
func (s *standalone) onStop(f func()) { s.stops = append(s.stops, f) }

func (s *standalone) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
}

// reserve takes what another process could hold, before anything slow begins.
func (s *standalone) reserve(ctx context.Context) (err error) {
	if s.receive, err = s.config.collect.Config(); err != nil {
		return err
	}
	if _, err := s.risinfo.Config(""); err != nil {
		return err
	}
	// What is wrong in the file is to be told before anything slow begins.
	if s.settings != "" {
		if _, err := settings.ReadFile(s.settings); err != nil {
			return fmt.Errorf("--settings: %w", err)
		}
	}
	if s.access, err = s.config.console.Access(ctx); err != nil {
		return err
	}
	if s.webhook, err = s.config.console.Webhook(); err != nil {
		return err
	}
	if s.libchdb, err = chdb.Find(s.libchdb); err != nil {
		return err
	}
	if s.dir, err = openDataDir(s.dataDir); err != nil {
		return err
	}
	s.onStop(s.dir.close)
	if s.web, err = serve.Listen("the console", "console", s.config.console.Address); err != nil {
		return err
	}
	s.console.set(http.HandlerFunc(starting))
	s.onStop(serve.Start(s.web, &s.console))
	if s.sql, err = serve.Listen("ClickHouse's HTTP interface", "clickhouse-http", s.clickhouseHTTP); err != nil {
		return err
	}
	s.onStop(func() { s.sql.Close() })
	s.metrics, err = metrics.Serve(s.config.metrics, s.checks()...)
	if err != nil {
		return fmt.Errorf("%w (choose another address with --metrics)", err)
	}
	s.onStop(func() { s.metrics.Close() })
	return nil
}

func (s *standalone) startBroker(ctx context.Context) (err error) {
	s.broker, err = broker.Start(ctx, broker.Options{
		Address: s.kafka, DataDir: s.dir.kafka(), Topics: []broker.Topic{
			{Name: flow.Topic, Partitions: partitions, RetentionBytes: topicBytes / partitions},
			{Name: flow.CountersTopic, Partitions: 1, RetentionBytes: countersTopicBytes},
			{Name: flow.PipelineTopic, Partitions: 1, RetentionBytes: pipelineTopicBytes},
			{Name: flow.TracesTopic, Partitions: 1, RetentionBytes: tracesTopicBytes},
		},
	})
	if err != nil {
		return fmt.Errorf("--kafka: %w", err)
	}
	s.onStop(s.broker.Close)
	slog.Info("standalone: Kafka broker runs", "address", s.broker.Address())
	return nil
}

func (s *standalone) startEngine(context.Context) (err error) {
	s.engine, err = chdb.Open(s.libchdb, s.dir.clickhouse(), chdb.Options{})
	if err != nil {
		return err
	}
	s.onStop(s.engine.Close)
	s.db = chhttp.OpenInternal(s.engine)
	s.onStop(func() { s.db.Close() })
	slog.Info("standalone: ClickHouse runs", "version", s.engine.Version(), "data", s.dir.clickhouse())
	return nil
}

func (s *standalone) migrate(ctx context.Context) error {
	kafka := clickhouse.Kafka{Brokers: []string{s.broker.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
	if err := clickhouse.ConfigureKafka(ctx, s.db, kafka); err != nil {
		return err
	}
	if err := clickhouse.Migrate(ctx, s.db); err != nil {
		return err
	}
	if err := clickhouse.SetRetention(ctx, s.db, s.config.keep()); err != nil {
		return fmt.Errorf("--retention, --retention-minutes, --retention-hours: %w", err)
	}
	if err := s.reportDamage(ctx); err != nil {
		return err
	}
	s.onStop(serve.Start(s.sql, chhttp.New(s.engine, chhttp.Options{ReadOnly: true})))
	slog.Info("standalone: SQL over HTTP, read-only", "url", "http://"+loopback(s.sql.Addr().(*net.TCPAddr).AddrPort())+"/")
	return nil
}

func (s *standalone) startCollector(context.Context) (err error) {
	if s.producer, err = s.openQueue(flow.Topic); err != nil {
		return err
	}
	counters, err := s.openQueue(flow.CountersTopic)
	if err != nil {
		return err
	}
	pipeline, err := s.openQueue(flow.PipelineTopic)
	if err != nil {
		return err
	}
	s.receive.StateFile = s.dir.exporters()
	s.collector, err = collect.Start(s.receive, collect.Outputs{
		Flows:    func() collect.Writer { return s.producer.NewWriter() },
		Counters: func() collect.Writer { return counters.NewWriter() },
		Pipeline: func() collect.Writer { return pipeline.NewWriter() },
	})
	if err != nil {
		return fmt.Errorf("%w (choose other addresses with --sflow, --netflow, --netflow-legacy)", err)
	}
	s.collecting.Store(true)
	s.onStop(s.collector.Stop)
	return nil
}

// openQueue opens a queue to the broker. It has no spool: the broker is in this process
// and does not go away.
func (s *standalone) openQueue(topic string) (*queue.Producer, error) {
	producer, err := queue.Open(queue.Config{Brokers: []string{s.broker.Address()}, Topic: topic})
	if err != nil {
		return nil, err
	}
	s.onStop(func() {
		flush, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		if err := producer.Close(flush); err != nil {
			slog.Error("standalone: messages were lost while stopping", "topic", topic, "error", err)
		}
	})
	return producer, nil
}

func (s *standalone) startConsole(ctx context.Context) error {
	// The console asks as everybody does: over HTTP, read-only.
	reader, err := clickhouse.Open(loopback(s.sql.Addr().(*net.TCPAddr).AddrPort()))
	if err != nil {
		return err
	}
	s.onStop(func() { reader.Close() })
	found := addresses{
		Console: s.web.Addr().String(), ClickHouseHTTP: s.sql.Addr().String(),
		Kafka: s.broker.Address(), Metrics: s.metrics.Addr,
	}
	var listeners []console.Listener
	for _, l := range s.collector.Listeners() {
		listeners = append(listeners, console.Listener{Name: l.Name, Address: l.Addr.String()})
		switch l.Name {
		case console.ListenSFlow:
			found.SFlow = l.Addr.String()
		case console.ListenNetFlow:
			found.NetFlow = l.Addr.String()
		case console.ListenNetFlowLegacy:
			found.NetFlowLegacy = l.Addr.String()
		}
	}
	config := console.Config{
		DB: reader, Gatherer: prometheus.DefaultGatherer, Lag: s.lag, Ready: s.ready,
		Listeners: listeners, ClickHouseHTTP: loopback(s.sql.Addr().(*net.TCPAddr).AddrPort()),
		Access: s.access, Webhook: s.webhook,
	}
	if err := s.readDefinitions(&config); err != nil {
		return err
	}
	page := console.New(config)
	s.console.set(page)
	s.onStop(serve.Watch(ctx, page))
	slog.Info("standalone: the console is at http://" + loopback(s.web.Addr().(*net.TCPAddr).AddrPort()) + "/")
	return s.dir.writeAddresses(found)
}

// readDefinitions reads the dashboards and alert rules that are part of the program.
func (s *standalone) readDefinitions(c *console.Config) error {
	endpoint, err := clickhouse.ParseEndpoint(loopback(s.sql.Addr().(*net.TCPAddr).AddrPort()))
	if err != nil {
		return err
	}
	c.ClickHouse = query.NewClient(endpoint)
	return serve.ReadDefinitions(dashboards.Files(), c)
}
