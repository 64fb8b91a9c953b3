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
)

func newMigrateCommand() *cobra.Command {
	var (
		kafka     clickhouse.Kafka
		retention time.Duration
		address   func() string
	)
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create or update the tables and views in ClickHouse",
		Long: `migrate brings the schema of a ClickHouse database up to the version that this
netmeta knows, by the numbered migrations that it carries. Run again, it changes
nothing. It refuses a database that a newer netmeta has migrated.`,
		Example: `  netmeta migrate --clickhouse http://admin:PASSWORD@127.0.0.1:8123/default --kafka broker:9092`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := clickhouse.Open(address())
			if err != nil {
				return err
			}
			defer db.Close()
			return runMigrate(cmd.Context(), db, kafka, retention)
		},
	}
	flags := cmd.Flags()
	address = addClickHouseFlag(cmd)
	flags.StringSliceVar(&kafka.Brokers, "kafka", nil, "Kafka brokers as ClickHouse reaches them, HOST:PORT; leave it out where the server's configuration has the named collections netmeta_kafka and netmeta_kafka_counters")
	flags.StringVar(&kafka.Topic, "topic", flow.Topic, "Kafka topic from which ClickHouse reads flows")
	flags.StringVar(&kafka.CountersTopic, "counters-topic", flow.CountersTopic, "Kafka topic from which ClickHouse reads interface counters")
	flags.StringVar(&kafka.Group, "group", clickhouse.DefaultGroup, "Kafka consumer group that ClickHouse reads flows as; counters are read as this with -counters behind it")
	flags.DurationVar(&retention, "retention", 0, "how long flows and counters are kept, for example 168h; left out, it stays as it is")
	return cmd
}

func runMigrate(ctx context.Context, db *sql.DB, kafka clickhouse.Kafka, retention time.Duration) error {
	if err := reach(ctx, db); err != nil {
		return err
	}
	if err := configureKafka(ctx, db, kafka); err != nil {
		return err
	}
	if err := clickhouse.Migrate(ctx, db); err != nil {
		return err
	}
	if retention != 0 {
		if err := clickhouse.SetRetention(ctx, db, retention); err != nil {
			return fmt.Errorf("--retention: %w", err)
		}
	}
	slog.Info("migrate: the schema is up to date")
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
