package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/retention"
)

func newMigrateCommand() *cobra.Command {
	var (
		kafka   clickhouse.Kafka
		keep    retention.Age
		target  migrationTarget
		address func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create or update the tables and views in ClickHouse",
		Long: `migrate brings the schema of a ClickHouse database up to the version that this
netmeta knows, by the numbered migrations that it carries. Run again, it changes
nothing. It refuses a database that a newer netmeta has migrated.

--dry-run shows the SQL that would run. It is for reading: run by hand, it does not
leave the version behind that the next migration looks for.

--to goes to another version, also down, before an older netmeta is installed. Going
down is refused where it would lose flows or what columns hold, and the refusal says
how much; --force does it all the same.`,
		Example: `  netmeta migrate --clickhouse http://admin:PASSWORD@127.0.0.1:8123/default --kafka broker:9092
  netmeta migrate --to 6 --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := openClickHouse(address)
			if err != nil {
				return err
			}
			defer db.Close()
			if !cmd.Flags().Changed("to") {
				target.version = clickhouse.Newest
			} else if target.version < 1 {
				return fmt.Errorf("--to %d: must be a version of the schema, 1 or more", target.version)
			}
			if target.dryRun {
				return target.print(cmd, db)
			}
			return runMigrate(cmd.Context(), db, kafka, time.Duration(keep), target)
		},
	}
	flags := cmd.Flags()
	address = addClickHouseFlag(cmd)
	flags.StringSliceVar(&kafka.Brokers, "kafka", nil, "Kafka brokers as ClickHouse reaches them, HOST:PORT; leave it out where the server's configuration has the named collections netmeta_kafka, netmeta_kafka_counters, netmeta_kafka_pipeline and netmeta_kafka_traces")
	flags.StringVar(&kafka.Topic, "topic", flow.Topic, "Kafka topic from which ClickHouse reads flows")
	flags.StringVar(&kafka.CountersTopic, "counters-topic", flow.CountersTopic, "Kafka topic from which ClickHouse reads interface counters")
	flags.StringVar(&kafka.PipelineTopic, "pipeline-topic", flow.PipelineTopic, "Kafka topic from which ClickHouse reads the counters of collectors")
	flags.StringVar(&kafka.Group, "group", clickhouse.DefaultGroup, "Kafka consumer group that ClickHouse reads flows as; counters are read as this with -counters and -pipeline behind it")
	flags.Var(&keep, "retention", "how long flows and counters are kept, for example 30d; left out, it stays as it is")
	flags.IntVar(&target.version, "to", 0, "go up or down to this version of the schema; left out, to the newest")
	flags.BoolVar(&target.dryRun, "dry-run", false, "print the SQL that would run, and change nothing")
	flags.BoolVar(&target.force, "force", false, "with --to: go down even where rows or what columns hold are lost")
	return cmd
}

func runMigrate(ctx context.Context, db *sql.DB, kafka clickhouse.Kafka, keep time.Duration, target migrationTarget) error {
	if err := reach(ctx, db); err != nil {
		return err
	}
	if err := target.check(ctx, db); err != nil {
		return err
	}
	if err := configureKafka(ctx, db, kafka); err != nil {
		return err
	}
	if err := target.migrate(ctx, db); err != nil {
		return err
	}
	if keep != 0 {
		if err := clickhouse.SetRetention(ctx, db, clickhouse.Retention{Raw: keep}); err != nil {
			return fmt.Errorf("--retention: %w", err)
		}
	}
	if target.version != clickhouse.Newest {
		slog.Info("migrate: the schema has the version that was asked for", "version", target.version)
		return nil
	}
	slog.Info("migrate: the schema is up to date")
	return fillRollups(ctx, db)
}

// fillRollups brings flows into the sums that were stored before there were any.
func fillRollups(ctx context.Context, db *sql.DB) error {
	err := clickhouse.RepairRollups(ctx, db, time.Time{}, func(h clickhouse.RollupHour) {
		if h.Repaired {
			slog.Info("migrate: flows that were stored before are in the sums by minute and hour", "hour", h.Hour, "flows", h.Raw)
		}
	})
	if err != nil {
		return fmt.Errorf("%w (netmeta rollups --repair goes on with it)", err)
	}
	return nil
}

// configureKafka stores the Kafka settings, or checks that there are some: without
// them a migration would fail half-way.
func configureKafka(ctx context.Context, db *sql.DB, kafka clickhouse.Kafka) error {
	if len(kafka.Brokers) > 0 {
		return clickhouse.ConfigureKafka(ctx, db, kafka)
	}
	for _, collection := range clickhouse.Collections {
		var exists bool
		if err := db.QueryRowContext(ctx, `SELECT count() > 0 FROM system.named_collections WHERE name = ?`, collection).Scan(&exists); err != nil {
			return fmt.Errorf("look for the Kafka settings in ClickHouse: %w", err)
		}
		if !exists {
			return fmt.Errorf("ClickHouse shows no named collection %s: give --kafka, or grant SHOW NAMED COLLECTIONS where the server's configuration has it", collection)
		}
	}
	return nil
}

// reach fails when ClickHouse does not answer, and says what to look at.
func reach(ctx context.Context, db *sql.DB) error {
	err := db.PingContext(ctx)
	if err == nil {
		return nil
	}
	if unreachable := asUnreachable(err); unreachable != nil {
		return unreachable
	}
	return fmt.Errorf("ClickHouse refuses: %w (check the user, password, port and database in --clickhouse)", err)
}
