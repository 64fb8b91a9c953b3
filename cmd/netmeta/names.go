package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/names"
)

func newNamesCommand() *cobra.Command {
	var (
		file, listen string
		check        bool
		address      func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "names",
		Short: "Keep names of interfaces, hosts and networks in ClickHouse up to date",
		Long: `names brings what a settings file says of exporters, interfaces, VLANs, hosts, networks
and autonomous systems into ClickHouse, and what devices tell of their interfaces. It runs
until it is stopped. The file is CUE, YAML or JSON, with the keys of doc/names.md.

A change of the file holds within seconds, at once after SIGHUP. While something in it is
wrong, the settings before hold, and the log says which key it is. Where ClickHouse, a
device or a source of networks is away, the names that are known stay.

netmeta-standalone does this by itself, with its flag --settings.`,
		Example: `  netmeta names --settings names.cue --clickhouse http://admin:PASSWORD@127.0.0.1:8123/default
  netmeta names --settings names.cue --check`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check && file == "" {
				return errors.New("--check: give the file with --settings")
			}
			db, err := openClickHouse(address)
			if err != nil {
				return err
			}
			defer db.Close()
			service, err := names.New(names.Config{DB: db, File: file})
			if err != nil {
				return fmt.Errorf("--settings: %w", err)
			}
			if check {
				return nil
			}
			return runNames(cmd.Context(), db, service, listen)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	address = addClickHouseFlag(cmd)
	flags.StringVar(&file, "settings", "", "file with names and what is special about exporters, in CUE, YAML or JSON")
	flags.BoolVar(&check, "check", false, "only say what is wrong in the file, with exit status 1 if something is")
	flags.StringVar(&listen, "metrics", "127.0.0.1:9100", `address for Prometheus metrics at /metrics, and for /healthz and /readyz; "" to leave it out`)
	return cmd
}

// runNames keeps names up to date until ctx ends.
func runNames(ctx context.Context, db *sql.DB, service *names.Service, listen string) error {
	server, err := metrics.Serve(listen, metrics.Check{Name: "clickhouse", Probe: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return db.PingContext(ctx)
	}})
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	slog.Info("names: keeping names up to date")
	service.Run(ctx, reload)
	return nil
}
