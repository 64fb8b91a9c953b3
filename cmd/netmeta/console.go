package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/console"
	"github.com/leoluk/NetMeta/internal/console/access"
	"github.com/leoluk/NetMeta/internal/console/serve"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/query"
	"github.com/leoluk/NetMeta/internal/queue"
)

// consoling is what the flags of console say.
type consoling struct {
	serve.Flags
	kafkaFlags
	address    func() (string, error)
	group      string
	collectors []string
	hosts      []string
	listeners  []console.Listener
	dashboards string
	metrics    string
}

func newConsoleCommand() *cobra.Command {
	c := consoling{listeners: []console.Listener{{Name: console.ListenSFlow}, {Name: console.ListenNetFlow}, {Name: console.ListenNetFlowLegacy}}}
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Serve the web page: dashboards, SQL, alerts, the state of the data path",
		Long: `console serves NetMeta's web page and asks a ClickHouse for what it shows. It only reads:
give it an account that can do nothing else, such as reader or grafana of
netmeta clickhouse-config.

The page listens elsewhere than on 127.0.0.1 only if it is told who may use it. Its
address answers /-/ready with 200 if ClickHouse and the collectors of --collectors answer.
The page "Data path" has the counters of these collectors, added up, and with --kafka how
far ClickHouse is behind.`,
		Example: `  netmeta console --clickhouse http://reader@clickhouse:8123/default --clickhouse-password-file reader
  netmeta hash-password > /etc/netmeta/console-password
  netmeta console --console :8080 --console-password-file /etc/netmeta/console-password \
    --collectors collector1:9100,collector2:9100 --kafka broker:9092`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	c.address = addClickHouseFlag(cmd)
	c.Add(flags, "netmeta")
	flags.StringSliceVar(&c.collectors, "collectors", nil, "metrics of collectors, HOST:PORT or URL, separated by commas")
	flags.StringVar(&c.dashboards, "dashboards", "", "directory with dashboards, netmeta-NAME.json, and alert rules, alerts.json (default: those of the program)")
	flags.StringSliceVar(&c.hosts, "collector-addresses", nil, `what the page "Setup" tells exporters to send to, separated by commas (default: the addresses of this host)`)
	for i, l := range []struct{ name, port, what string }{{"sflow", ":6343", "sFlow"}, {"netflow", ":2055", "NetFlow and IPFIX"}, {"netflow-legacy", ":2056", "NetFlow v5"}} {
		flags.StringVar(&c.listeners[i].Address, l.name, l.port, "where collectors receive "+l.what+`, for the page "Setup"; "" if they do not`)
	}
	flags.StringSliceVar(&c.queue.Brokers, "kafka", nil, "Kafka brokers to ask how far ClickHouse is behind, HOST:PORT, separated by commas")
	flags.StringVar(&c.queue.Topic, "topic", flow.Topic, "Kafka topic of FlowMessages")
	flags.StringVar(&c.group, "group", clickhouse.DefaultGroup, "Kafka consumer group that ClickHouse reads flows as")
	c.addSecurityFlags(cmd)
	flags.StringVar(&c.metrics, "metrics", "", "address for Prometheus metrics at /metrics, and for /healthz and /readyz (default: nowhere)")
	return cmd
}

func (c *consoling) run(ctx context.Context) error {
	config, err := c.config(ctx)
	if err != nil {
		return err
	}
	defer config.DB.Close()
	listener, err := serve.Listen("the console", "console", c.Address)
	if err != nil {
		return err
	}
	page := console.New(config)
	defer serve.Start(listener, page)()
	server, err := metrics.Serve(c.metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()
	slog.Info("console: serving", "address", listener.Addr().String())
	defer serve.Watch(ctx, page)()
	<-ctx.Done()
	return nil
}

// config is what the console shows, and where it finds it. The caller closes its DB.
func (c *consoling) config(ctx context.Context) (config console.Config, err error) {
	var who access.Config
	if who, err = c.Flags.Access(ctx); err != nil {
		return config, err
	}
	config.Access = who
	if config.Webhook, err = c.Webhook(); err != nil {
		return config, err
	}
	files := dashboards.Files()
	if c.dashboards != "" {
		files = os.DirFS(c.dashboards)
	}
	if err := serve.ReadDefinitions(files, &config); err != nil {
		return config, err
	}
	if len(config.Dashboards) == 0 {
		return config, fmt.Errorf("--dashboards %s: there is no netmeta-NAME.json", c.dashboards)
	}
	to, err := c.address()
	if err != nil {
		return config, err
	}
	endpoint, err := clickhouse.ParseEndpoint(to)
	if err != nil {
		return config, err
	}
	config.ClickHouse, config.ClickHouseHTTP = query.NewClient(endpoint), endpoint.URL.Host
	if err := c.queue.Security.Check(); err != nil {
		return config, err
	}
	if len(c.queue.Brokers) > 0 {
		config.Lag = c.lag
	}
	config.Addresses = c.hosts
	for _, l := range c.listeners {
		if l.Address == "" {
			continue
		}
		if !strings.Contains(l.Address, ":") {
			return config, fmt.Errorf("--%s: %q is no HOST:PORT", l.Name, l.Address)
		}
		config.Listeners = append(config.Listeners, l)
	}
	collectors := console.NewCollectors(c.collectors)
	config.Gatherer = collectors
	if config.DB, err = clickhouse.Open(to); err != nil {
		return config, err
	}
	config.Ready = func(ctx context.Context) error {
		if err := config.DB.PingContext(ctx); err != nil {
			return fmt.Errorf("ClickHouse does not answer: %w", err)
		}
		// Those that did not answer when they were asked last.
		return collectors.Err()
	}
	return config, nil
}

// lag is how many Kafka messages ClickHouse has not stored yet.
func (c *consoling) lag(ctx context.Context) (int64, error) {
	found, err := queue.Survey(ctx, c.queue, []queue.TopicState{{Topic: c.queue.Topic, Group: c.group}})
	switch {
	case err != nil:
		return 0, err
	case found[0].Missing:
		return 0, errors.New("there is no topic " + c.queue.Topic)
	}
	return found[0].Lag(), found[0].Err
}
