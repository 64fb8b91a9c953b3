package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/lookup"
	"github.com/leoluk/NetMeta/internal/retention"
	"github.com/leoluk/NetMeta/internal/settings"
)

func newLookupCommand() *cobra.Command {
	var (
		dns           bool
		file, output  string
		since         = retention.Age(time.Hour)
		clickHouseURL func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "lookup ADDRESS",
		Short: "Tell everything that is known about an address, and where it comes from",
		Long: `lookup tells what is known about an address: its name, the networks that it is in, what it
is as an exporter, and what the flows of the last hour say. Each fact has its source.

Countries and cities are those of the GeoIP database that the settings name (table places),
and with --geoip also those of a file. It asks the DNS only with --dns.`,
		Example: `  netmeta lookup 198.51.100.7
  netmeta lookup 2001:db8::1 --dns --since 24h
  netmeta lookup 198.51.100.7 --geoip /var/lib/GeoLite2-City.mmdb --output json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			address, err := settings.ParseAddress(args[0])
			if err != nil {
				return fmt.Errorf("%q %w", args[0], err)
			}
			options := lookup.Options{Since: time.Duration(since)}
			if dns {
				options.DNS = net.DefaultResolver
			}
			if file != "" {
				if options.GeoIP, err = geoip.Open(file); err != nil {
					return fmt.Errorf("--geoip: %w", err)
				}
				defer options.GeoIP.Close()
			}
			db, err := openClickHouse(clickHouseURL)
			if err != nil {
				return err
			}
			defer db.Close()
			return runLookup(cmd, db, address, options, output)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	clickHouseURL = addClickHouseFlag(cmd)
	flags.Var(&since, "since", "look through flows of so much time: 10m, 24h, 7d")
	flags.BoolVar(&dns, "dns", false, "ask the DNS for the address's names")
	flags.StringVar(&file, "geoip", "", "further database in MaxMind's format that says where addresses are, such as GeoLite2-City.mmdb")
	flags.StringVar(&output, "output", "table", "table or json")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

func runLookup(cmd *cobra.Command, db *sql.DB, address netip.Addr, options lookup.Options, output string) error {
	if err := reach(cmd.Context(), db); err != nil {
		return err
	}
	facts, err := lookup.Address(cmd.Context(), db, address, options)
	return errors.Join(err, writeReport(cmd.OutOrStdout(), output, facts, func(w io.Writer) error {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, f := range facts {
			fmt.Fprintf(t, "%s\t%s\t%s\n", f.What, f.Value, f.Source)
		}
		return t.Flush()
	}))
}
