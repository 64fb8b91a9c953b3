// Command netmeta collects flows, migrates the database, gives it names, asks it, plays exporters and finds out
// where flows stop.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/buildinfo"
	"github.com/leoluk/NetMeta/internal/console/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A further Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "netmeta:", err)
		os.Exit(exitStatus(err))
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "netmeta",
		Short: "Flow observability: collect sFlow, NetFlow and IPFIX, un-aggregated",
		Long: `netmeta receives flow samples from routers, switches and hosts and writes them
to Kafka, from where ClickHouse stores every one of them.

To try all of it on one machine, run scripts/standalone.sh --demo instead.`,
		Version:       buildinfo.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newCollectCommand(),
		newMigrateCommand(),
		newRetentionCommand(),
		newRollupsCommand(),
		newQueryCommand(),
		newClickHouseConfigCommand(),
		newGenerateCommand(),
		newReplayCommand(),
		newDashboardsCommand(),
		newDoctorCommand(),
		newValidateCommand(),
		newConsoleCommand(),
		serve.NewHashPasswordCommand(),
		newRisinfoCommand(),
		newNamesCommand(),
		newLookupCommand(),
		newAgentCommand(),
		newImportCommand(),
	)
	return root
}
