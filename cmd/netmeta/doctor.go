package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/doctor"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/datadir"
)

// Exit codes of netmeta doctor.
const (
	exitProblem = 1
	exitUnknown = 2
)

// Lengths of --interval.
const (
	leastPause   = time.Second
	defaultPause = 5 * time.Second
)

// examining is what the flags of doctor say.
type examining struct {
	kafkaFlags
	targets  doctor.Targets
	dataDir  string
	group    string
	probe    bool
	interval time.Duration
	output   string
}

func newDoctorCommand() *cobra.Command {
	var e examining
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out where flows stop between the UDP socket and the dashboard, and why",
		Long: `doctor walks the path of flows: sockets, decoding, exporters, queue and spool, Kafka,
ClickHouse, console and Grafana. It writes one line for each stage, and for the first one
with a problem what to do.

Without flags that name a server, it examines the netmeta-standalone that runs on this
host with --data-dir. With some of --metrics, --kafka, --clickhouse and --console, it
examines those, and no other. Of collectors whose --metrics are left out, it looks at what
they have written to ClickHouse. --grafana may be added to both.

It changes nothing. Only --probe sends something: one flow of one packet between addresses
for benchmarks, 198.18.0.0/16 to 198.19.0.0/16, which is stored like any other.

The exit code is 0 if no stage has a problem, 1 if one has, and 2 if something could not be
examined.`,
		Example: `  netmeta doctor
  netmeta doctor --data-dir /srv/netmeta --probe
  netmeta doctor --metrics collector1:9100,collector2:9100 --kafka broker:9092 \
    --clickhouse http://reader:PASSWORD@clickhouse:8123/default --grafana http://grafana:3000
  netmeta doctor --clickhouse http://reader:PASSWORD@clickhouse:8123/default --output json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&e.dataDir, "data-dir", datadir.Default(), "data directory of the netmeta-standalone on this host to examine")
	flags.StringSliceVar(&e.targets.Metrics, "metrics", nil, "metrics of collectors, HOST:PORT or URL, separated by commas")
	flags.StringSliceVar(&e.queue.Brokers, "kafka", nil, "Kafka brokers to start from, HOST:PORT, separated by commas")
	flags.StringVar(&e.targets.ClickHouse, "clickhouse", "", "URL of ClickHouse's HTTP interface: http://user:password@host:port/database; $"+envClickHouse+" does the same and keeps the password off the command line")
	flags.StringVar(&e.targets.Console, "console", "", "the console of netmeta-standalone, HOST:PORT or URL")
	flags.StringVar(&e.targets.Grafana, "grafana", "", "Grafana, HOST:PORT or URL; with http://user:password@host:port its data source is examined, too")
	flags.BoolVar(&e.probe, "probe", false, "send one flow to --netflow, and follow it to its row in ClickHouse")
	flags.StringVar(&e.targets.NetFlow, "netflow", "", "where --probe sends its flow: HOST:PORT at which a collector receives NetFlow (default: the one of --data-dir)")
	flags.DurationVar(&e.interval, "interval", defaultPause, "time between the two readings of counters that tell what grows")
	flags.StringVar(&e.queue.Topic, "topic", flow.Topic, "Kafka topic of FlowMessages")
	flags.StringVar(&e.countersTopic, "counters-topic", flow.CountersTopic, `Kafka topic of InterfaceCounters; "" if there is none`)
	flags.StringVar(&e.pipelineTopic, "pipeline-topic", flow.PipelineTopic, `Kafka topic of PipelineCounters; "" if there is none`)
	flags.StringVar(&e.group, "group", clickhouse.DefaultGroup, "Kafka consumer group that ClickHouse reads flows as")
	e.addSecurityFlags(cmd)
	flags.StringVarP(&e.output, "output", "o", "table", "form of the report: table or json")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

// unwellError is the end of a diagnosis that is not good, which the report has told of.
type unwellError struct {
	error
	code int
}

func (e *examining) run(cmd *cobra.Command) error {
	if err := e.prepare(cmd); err != nil {
		return unwellError{err, exitUnknown}
	}
	facts, err := doctor.Gather(cmd.Context(), e.targets, e.interval)
	if err != nil {
		return unwellError{err, exitUnknown}
	}
	report := doctor.Diagnose(facts)
	if err := writeReport(cmd.OutOrStdout(), e.output, report, report.Write); err != nil {
		return unwellError{err, exitUnknown}
	}
	switch report.Level {
	case doctor.Problem:
		return unwellError{fmt.Errorf("flows have a problem at stage %s", report.First), exitProblem}
	case doctor.Unknown:
		return unwellError{errors.New("something could not be examined"), exitUnknown}
	}
	return nil
}

// prepare makes targets of the flags.
func (e *examining) prepare(cmd *cobra.Command) error {
	if err := checkOutput(e.output); err != nil {
		return err
	}
	if e.interval < leastPause || e.interval > time.Hour {
		return fmt.Errorf("--interval %s: must be between 1s and 1h", e.interval)
	}
	if err := e.choose(cmd); err != nil {
		return err
	}
	if e.targets.ClickHouse != "" {
		if _, err := clickhouse.ParseEndpoint(e.targets.ClickHouse); err != nil {
			return fmt.Errorf("--clickhouse: %w", err)
		}
	}
	if err := e.queue.Security.Check(); err != nil {
		return fmt.Errorf("how to connect to Kafka: %w", err)
	}
	e.targets.Topics = []queue.TopicState{{Topic: e.queue.Topic, Group: e.group}}
	if e.countersTopic != "" {
		e.targets.Topics = append(e.targets.Topics, queue.TopicState{Topic: e.countersTopic, Group: e.group + "-counters"})
	}
	if e.pipelineTopic != "" {
		e.targets.Topics = append(e.targets.Topics, queue.TopicState{Topic: e.pipelineTopic, Group: e.group + "-pipeline"})
	}
	e.targets.Topics = append(e.targets.Topics, queue.TopicState{Topic: flow.TracesTopic, Group: e.group + "-traces"})
	return e.prepareProbe(cmd)
}

// choose takes the servers that flags name, or else those of standalone.
func (e *examining) choose(cmd *cobra.Command) error {
	flags, named := cmd.Flags(), false
	for _, flag := range []string{"metrics", "kafka", "clickhouse", "console"} {
		named = named || flags.Changed(flag)
	}
	if address := os.Getenv(envClickHouse); address != "" && !flags.Changed("clickhouse") && !flags.Changed("data-dir") {
		e.targets.ClickHouse, named = address, true
	}
	if named && flags.Changed("data-dir") {
		return errors.New("give either --data-dir, or the servers to examine by --metrics, --kafka, --clickhouse and --console")
	}
	e.targets.Kafka = e.queue
	if named {
		return nil
	}
	found, err := doctor.Standalone(e.dataDir)
	if err != nil {
		return fmt.Errorf("%w (start one, name its --data-dir, or name servers by --metrics, --kafka, --clickhouse and --console)", err)
	}
	found.NetFlow, found.Grafana = e.targets.NetFlow, e.targets.Grafana
	e.targets = found
	return nil
}

func (e *examining) prepareProbe(cmd *cobra.Command) (err error) {
	switch {
	case !e.probe && cmd.Flags().Changed("netflow"):
		return errors.New("--netflow is where --probe sends its flow: give that, too")
	case !e.probe:
		return nil
	case e.targets.NetFlow == "":
		if e.targets.NetFlow, err = e.targets.ProbeAddress(); err != nil {
			return fmt.Errorf("--probe: %w", err)
		}
	}
	if _, _, err := net.SplitHostPort(e.targets.NetFlow); err != nil {
		return fmt.Errorf("--netflow %q is not HOST:PORT", e.targets.NetFlow)
	}
	if e.targets.ClickHouse == "" {
		return errors.New("--probe looks for its flow in ClickHouse: give --clickhouse")
	}
	return nil
}
