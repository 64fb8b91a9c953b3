// Command netmeta-standalone is all of NetMeta in one process: collector, Kafka
// broker, ClickHouse engine with its HTTP interface, and the console.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/buildinfo"
	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/console/serve"
	"github.com/leoluk/NetMeta/internal/retention"
	"github.com/leoluk/NetMeta/internal/risinfo"
	"github.com/leoluk/NetMeta/internal/standalone/datadir"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "netmeta-standalone:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	dataDir        string
	collect        collect.Flags
	settings       string // file of names and of what is special about exporters
	console        serve.Flags
	clickhouseHTTP string
	kafka          string
	metrics        string
	retention      retention.Age // of flows
	minutes, hours retention.Age // of their sums; 0: as it is
	retentionDisk  retention.Share
	risinfo        risinfo.Flags
	demo           bool
	demoFlows      int
	libchdb        string
}

// keep is how long what is stored is kept.
func (c config) keep() clickhouse.Retention {
	return clickhouse.Retention{Raw: time.Duration(c.retention), Minutes: time.Duration(c.minutes), Hours: time.Duration(c.hours)}
}

func newCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "netmeta-standalone",
		Short: "All of NetMeta in one process: collector, Kafka, ClickHouse and console",
		Long: `netmeta-standalone receives sFlow, NetFlow and IPFIX, stores every flow and shows
them in the browser, in one process. Its data lies in one directory; started
again on it, it goes on where it stopped.

Everything listens on 127.0.0.1, except the three ports for flows. An address
with port 0 takes any free port; an empty one leaves a flow port out. The console
listens elsewhere only if it is told who may use it.`,
		Example: `  netmeta-standalone --demo
  netmeta-standalone --data-dir /srv/netmeta --retention 30d --settings names.cue
  netmeta-standalone --rib public --asnames public
  netmeta-standalone hash-password > /etc/netmeta/console-password
  netmeta-standalone --console :8080 --console-password-file /etc/netmeta/console-password`,
		Version:       buildinfo.Version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), c)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&c.dataDir, "data-dir", datadir.Default(), "directory for everything that is stored")
	c.collect.Add(flags)
	flags.StringVar(&c.settings, "settings", "", "file with names of exporters, interfaces, hosts and networks, and what is special about exporters, in CUE, YAML or JSON; a change holds without a restart")
	c.console.Add(flags, "netmeta-standalone")
	flags.StringVar(&c.clickhouseHTTP, "clickhouse-http", "127.0.0.1:8123", "address of ClickHouse's HTTP interface, which is read-only")
	flags.StringVar(&c.kafka, "kafka", "127.0.0.1:9092", "address of the Kafka broker")
	flags.StringVar(&c.metrics, "metrics", "127.0.0.1:9100", "address for Prometheus metrics, at /metrics")
	c.retention = retention.Age(168 * time.Hour)
	flags.Var(&c.retention, "retention", "how long flows are kept, for example 12h, 30d, 6w")
	flags.Var(&c.minutes, "retention-minutes", "how long sums of flows by minute are kept; left out, it stays as it is, at first 30d")
	flags.Var(&c.hours, "retention-hours", "how long sums of flows by hour are kept; left out, it stays as it is, at first 400d")
	flags.Var(&c.retentionDisk, "retention-disk", "drop the oldest days of flows while the disk is fuller than this, for example 80%")
	c.risinfo.Add(flags)
	flags.BoolVar(&c.demo, "demo", false, "play four routers, and lay down the traffic of the last 24 hours first")
	flags.IntVar(&c.demoFlows, "demo-flows", 3_000_000, "flows in 24 hours of --demo")
	flags.StringVar(&c.libchdb, "libchdb", "", "path of libchdb.so, where it is not found by itself")
	cmd.AddCommand(serve.NewHashPasswordCommand())
	return cmd
}
