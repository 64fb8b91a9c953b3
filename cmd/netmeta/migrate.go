package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
)

func newMigrateCommand() *cobra.Command {
	var (
		address   string
		kafka     clickhouse.Kafka
		retention time.Duration
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
			db, err := clickhouse.Open(address)
			if err != nil {
				return err
			}
			defer db.Close()
			if len(kafka.Brokers) > 0 {
				if err := clickhouse.ConfigureKafka(cmd.Context(), db, kafka); err != nil {
					return err
				}
			}
			if err := clickhouse.Migrate(cmd.Context(), db); err != nil {
				return err
			}
			if retention == 0 {
				return nil
			}
			return clickhouse.SetRetention(cmd.Context(), db, retention)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&address, "clickhouse", "http://127.0.0.1:8123", "URL of ClickHouse's HTTP interface: http://user:password@host:port/database")
	flags.StringSliceVar(&kafka.Brokers, "kafka", nil, "Kafka brokers as ClickHouse reaches them, HOST:PORT; leave it out where the server's configuration has the named collection netmeta_kafka")
	flags.StringVar(&kafka.Topic, "topic", flow.Topic, "Kafka topic that ClickHouse reads")
	flags.StringVar(&kafka.Group, "group", clickhouse.DefaultGroup, "Kafka consumer group that ClickHouse reads as")
	flags.DurationVar(&retention, "retention", 0, "how long flows are kept, for example 168h; left out, it stays as it is")
	return cmd
}
