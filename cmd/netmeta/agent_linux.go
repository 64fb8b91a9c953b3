package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/agent"
	"github.com/leoluk/NetMeta/internal/agent/mirror"
	"github.com/leoluk/NetMeta/internal/agent/rules"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// agentFlags are what the flags of agent say.
type agentFlags struct {
	delivery
	config     agent.Config
	exporter   string
	groups     []uint
	mirrorRate uint32
}

func newAgentCommand() *cobra.Command {
	var a agentFlags
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Make flows of the traffic of this Linux host and write them to Kafka",
		Long: `agent writes FlowMessages of what the Linux host that it runs on sees:

  --nflog GROUP       packets that rules of nftables or iptables sample; agent rules
                      prints such rules, and installs and removes them
  --conntrack         connections, when they begin and end, and what they carried
  --mirror INTERFACE  packets sampled at an interface, such as that of a port mirror

They see the same traffic, each in its own way: use one of them for the same packets, or
they count twice.

Every 30 seconds it sends the counters of all interfaces, with their names, and every 10
seconds its own counters. While Kafka is away, flows wait in memory, or with --state-dir
on disk. At SIGTERM or Ctrl-C it first writes what it has; a second Ctrl-C ends it at once.

It needs the capabilities CAP_NET_ADMIN (nflog, conntrack) and CAP_NET_RAW (mirror).`,
		Example: `  netmeta agent rules --nft --rate 1000 --group 5 --install
  netmeta agent --nflog 5 --kafka broker1:9092,broker2:9092 --state-dir /var/lib/netmeta-agent
  netmeta agent --conntrack --conntrack-enable --exporter 192.0.2.20
  netmeta agent --mirror eth1 --mirror-rate 1000`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd.Context())
		},
	}
	a.addFlags(cmd)
	cmd.AddCommand(newAgentRulesCommand())
	return cmd
}

// agentMetrics is not the collector's default: that is also where the node exporter of
// Prometheus is, on many of the hosts that an agent runs on.
const agentMetrics = "127.0.0.1:9101"

// agentBuffer holds thousands of sampled packets, or of events.
const agentBuffer = 4 << 20

func (a *agentFlags) addFlags(cmd *cobra.Command) {
	flags, c := cmd.Flags(), &a.config
	flags.SortFlags = false
	flags.UintSliceVar(&a.groups, "nflog", nil, "groups of NFLOG to receive packets from, separated by commas")
	flags.Uint32Var(&c.NFLOGRate, "nflog-rate", 0, "packets for one that the rules log (0: what their prefix says, netmeta:1000, else what nft and iptables-save show)")
	flags.BoolVar(&c.Conntrack, "conntrack", false, "report the connections that the kernel tracks")
	flags.BoolVar(&c.ConntrackStarts, "conntrack-starts", true, "report them when they begin, too, in a flow without bytes")
	flags.DurationVar(&c.ConntrackActive, "conntrack-active", time.Minute, "report what those that last longer have carried, each time (0: only at their end)")
	flags.BoolVar(&c.ConntrackEnable, "conntrack-enable", false, "have the kernel count their packets and bytes, and note their start (sysctl net.netfilter.nf_conntrack_acct and _timestamp)")
	flags.BoolVar(&c.ConntrackReliable, "conntrack-reliable", false, "have the kernel keep those that have ended until it could report them, rather than drop reports")
	flags.StringSliceVar(&c.Mirror, "mirror", nil, "interfaces to sample packets at, separated by commas")
	flags.Uint32Var(&a.mirrorRate, "mirror-rate", 1000, "packets for one that is sampled there")
	flags.IntVar(&c.MirrorSockets, "mirror-sockets", 1, "sockets that share the packets of each, by the processor that received them")
	flags.BoolVar(&c.MirrorPromiscuous, "mirror-promiscuous", true, "sample what is addressed to others, too, as it is on a mirror port")
	flags.StringVar(&a.exporter, "exporter", "", "address that names this host in flows (default: that of its default route)")
	flags.StringVar(&c.Instance, "instance", "", "name of this agent in the table pipeline_counters (default: the host's name)")
	flags.IntVar(&c.Buffer, "socket-buffer", agentBuffer, "bytes that may wait in the kernel, for each socket")
	a.addDeliveryFlags(cmd, "flows that wait for Kafka, and what was reported of connections that go on", agentMetrics)
}

// finish checks the flags and fills in the rest of the configuration.
func (a *agentFlags) finish() error {
	c := &a.config
	for _, group := range a.groups {
		if group > 65535 {
			return fmt.Errorf("--nflog %d: groups are 0 to 65535", group)
		}
		c.NFLOG = append(c.NFLOG, uint16(group))
	}
	if a.mirrorRate < 1 || a.mirrorRate > mirror.MaxRate {
		return fmt.Errorf("--mirror-rate %d: must be 1 to %d, one packet in so many", a.mirrorRate, mirror.MaxRate)
	}
	c.MirrorRate = a.mirrorRate
	switch {
	case c.Buffer <= 0:
		return fmt.Errorf("--socket-buffer: %d is no number of bytes to receive into", c.Buffer)
	case c.MirrorSockets < 1:
		return fmt.Errorf("--mirror-sockets: %d is no number of sockets", c.MirrorSockets)
	case c.ConntrackActive != 0 && c.ConntrackActive < time.Second:
		return fmt.Errorf("--conntrack-active: %v is less than a second", c.ConntrackActive)
	}
	if err := a.prepare(); err != nil {
		return err
	}
	c.ConntrackState = a.stateFile("conntrack.state")
	var err error
	if a.exporter == "" {
		c.Exporter, err = agent.DefaultExporter()
	} else if c.Exporter, err = netip.ParseAddr(a.exporter); err != nil || c.Exporter.Zone() != "" {
		err = fmt.Errorf("--exporter: %q is no IPv4 or IPv6 address", a.exporter)
	}
	return err
}

// run makes flows until ctx ends, and then writes what is left.
func (a *agentFlags) run(ctx context.Context) error {
	if err := a.finish(); err != nil {
		return err
	}
	to, err := a.delivery.open()
	if err != nil {
		return err
	}
	running, err := agent.Start(a.config, to.Outputs)
	if err != nil {
		return errors.Join(err, a.flush(to))
	}
	server, err := metrics.Serve(a.metrics, append(running.Checks(), to.checks...)...)
	if err != nil {
		running.Stop()
		return errors.Join(fmt.Errorf("--metrics: %w", err), a.flush(to))
	}
	defer server.Close()
	slog.Info("agent: making flows", "exporter", a.config.Exporter, "nflog", a.config.NFLOG, "conntrack", a.config.Conntrack, "mirror", a.config.Mirror)

	<-ctx.Done()
	slog.Info("agent: stopping, writing what was read to "+to.name, "timeout", a.flushTimeout)
	running.Stop()
	return a.flush(to)
}

func newAgentRulesCommand() *cobra.Command {
	var (
		r                                rules.Rules
		nft, iptables, install, removing bool
	)
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Print, install or remove rules that sample packets for agent --nflog",
		Long: `rules prints what has nftables or iptables sample packets into a group of NFLOG: a file
for nft -f, or commands for a shell. With --install it does that itself, in place of
earlier rules of the same group, and with --remove it takes them away.

The rules see each packet once, in what the host receives, sends and forwards, after
destination NAT and before source NAT, and leave the loopback interface out. They are a
table, or chains, of their own: other rules stay as they are. Their prefix says the rate
to the agent. A restart of the system, or of a firewall that flushes all rules, removes
them.`,
		Example: `  netmeta agent rules --nft --rate 1000 --group 5
  netmeta agent rules --iptables --rate 1000 --group 5 --install
  netmeta agent rules --iptables --group 5 --remove`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.Tool = rules.NFTables
			if iptables {
				r.Tool = rules.IPTables
			}
			if err := r.Check(); err != nil {
				return err
			}
			switch {
			case install:
				return r.Install(cmd.Context())
			case removing:
				return r.Remove(cmd.Context())
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), r)
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&nft, "nft", false, "rules of nftables (the default)")
	flags.BoolVar(&iptables, "iptables", false, "rules of iptables and ip6tables")
	flags.Uint32Var(&r.Rate, "rate", 1000, "packets for one that is sampled (1: every packet)")
	flags.Uint16Var(&r.Group, "group", 5, "group of NFLOG")
	flags.BoolVar(&install, "install", false, "set the rules up")
	flags.BoolVar(&removing, "remove", false, "take the rules away")
	cmd.MarkFlagsMutuallyExclusive("nft", "iptables")
	cmd.MarkFlagsMutuallyExclusive("install", "remove")
	return cmd
}
