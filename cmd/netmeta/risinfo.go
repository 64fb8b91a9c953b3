package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/risinfo"
)

// serving is what the flags of risinfo say.
type serving struct {
	tables  risinfo.Flags
	dir     string
	listen  string
	metrics string
}

func newRisinfoCommand() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "risinfo",
		Short: "Find out which AS has which prefix, and what ASes are called",
		Long: `risinfo gets routing tables from collectors of RouteViews and RIPE RIS, and lists of
AS numbers from registries, or both from files. It serves what it makes of them as
/rib.tsv and /autnums.tsv, and with --clickhouse loads it there, so that flows get the AS
numbers that their exporters do not tell, and AS numbers get names.

What cannot be had, is broken, or has lost too much, leaves the table of before in use. In
URLs, %Y, %m, %d and %H stand for year, month, day and hour (UTC): the newest file of the
last day is taken. With #md5 or #sha256 behind a URL, the checksum beside the file has to
match. Files may be compressed (gzip, bzip2).`,
		Example: `  netmeta risinfo --dir /var/lib/netmeta/risinfo --clickhouse http://127.0.0.1:8123
  netmeta risinfo --rib bview.gz --rib own-prefixes.tsv --asnames own-names.txt --asnames public`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	s.tables.Add(flags)
	flags.StringVar(&s.dir, "dir", "risinfo", "directory for what is downloaded and for the last good tables")
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8081", `address for /rib.tsv, /autnums.tsv, /-/ready and /metrics; "" to leave it out`)
	address := addClickHouseFlag(cmd)
	flags.Lookup("clickhouse").DefValue = "" // without it, nothing is loaded
	flags.StringVar(&s.metrics, "metrics", "", `address for Prometheus metrics at /metrics, and for /healthz and /readyz; "" to leave it out`)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s.tables.UsePublic()
		config, err := s.tables.Config(s.dir)
		if err != nil {
			return err
		}
		if flags.Changed("clickhouse") || os.Getenv(envClickHouse) != "" {
			db, err := openClickHouse(address)
			if err != nil {
				return err
			}
			defer db.Close()
			config.LoadInto(db)
		}
		return s.run(cmd.Context(), config)
	}
	return cmd
}

func (s *serving) run(ctx context.Context, config risinfo.Config) error {
	service, err := risinfo.New(config)
	if err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	server := &http.Server{Handler: service.Handler(), ReadHeaderTimeout: 10 * time.Second}
	if s.listen != "" {
		listener, err := net.Listen("tcp", s.listen)
		if err != nil {
			return fmt.Errorf("--listen: %w", err)
		}
		slog.Info("risinfo: serving", "url", "http://"+listener.Addr().String()+"/rib.tsv")
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				slog.Error("risinfo: tables are no longer served", "error", err)
			}
		}()
	}
	defer server.Close()
	health, err := metrics.Serve(s.metrics, service.Checks()...)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer health.Close()
	service.Start()
	<-ctx.Done()
	slog.Info("risinfo: stopping")
	service.Stop()
	return nil
}
