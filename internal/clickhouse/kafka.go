package clickhouse

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
)

// DefaultGroup is the consumer group that ClickHouse reads as. Its committed
// offsets are the position in the queue, so the name must stay.
const DefaultGroup = "clickhouse"

// Kafka says where ClickHouse reads FlowMessages, InterfaceCounters, PipelineCounters and
// Traces; these always from flow.TracesTopic.
type Kafka struct {
	Brokers       []string // HOST:PORT, as ClickHouse reaches them
	Topic         string   // of FlowMessages
	CountersTopic string   // of InterfaceCounters
	PipelineTopic string   // of PipelineCounters; empty: flow.PipelineTopic
	Group         string   // consumer group; the others have "-counters", "-pipeline" and "-traces" behind it
}

// collection is a named collection of ClickHouse, from which one Kafka table of the
// schema takes its settings, so that no migration holds an address.
type collection struct {
	name, table           string
	brokers, topic, group string
}

// Collections are the named collections that the schema's Kafka tables refer to.
var Collections = []string{"netmeta_kafka", "netmeta_kafka_counters", "netmeta_kafka_pipeline", "netmeta_kafka_traces"}

func (k Kafka) collections() []collection {
	brokers := strings.Join(k.Brokers, ",")
	return []collection{
		{Collections[0], "flows_queue", brokers, k.Topic, k.Group},
		// A group of its own: members that read different topics would make each
		// other stop whenever one of them comes or goes.
		{Collections[1], "counters_queue", brokers, k.CountersTopic, k.Group + "-counters"},
		{Collections[2], "pipeline_queue", brokers, cmp.Or(k.PipelineTopic, flow.PipelineTopic), k.Group + "-pipeline"},
		{Collections[3], "traces_queue", brokers, flow.TracesTopic, k.Group + "-traces"},
	}
}

// ConfigureKafka stores k as named collections. Where one changes, its Kafka table is
// attached again: ClickHouse reads a collection only when it loads a table. A server
// that hides the values of collections (display_secrets_in_show_and_select) cannot
// tell, so there it is done each time; the consumers then pause until Kafka has given
// up the old ones, 45 s.
func ConfigureKafka(ctx context.Context, db *sql.DB, k Kafka) error {
	for _, c := range k.collections() {
		if err := c.store(ctx, db); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (c collection) store(ctx context.Context, db *sql.DB) error {
	var exists, same bool
	err := db.QueryRowContext(ctx, `
		SELECT count() > 0, countIf(
			collection['kafka_broker_list'] = ? AND
			collection['kafka_topic_list'] = ? AND
			collection['kafka_group_name'] = ?) > 0
		FROM system.named_collections
		WHERE name = ?
		SETTINGS format_display_secrets_in_show_and_select = 1`, c.brokers, c.topic, c.group, c.name).Scan(&exists, &same)
	if err != nil {
		return fmt.Errorf("look for the Kafka settings in ClickHouse: %w", err)
	}
	settings := fmt.Sprintf(`kafka_broker_list = %s, kafka_topic_list = %s, kafka_group_name = %s`,
		Literal(c.brokers), Literal(c.topic), Literal(c.group))
	switch {
	case same:
		return nil
	case !exists:
		if _, err := db.ExecContext(ctx, `CREATE NAMED COLLECTION `+c.name+` AS `+settings); err != nil {
			return fmt.Errorf("store the Kafka settings in ClickHouse: %w", err)
		}
		return nil
	}
	if _, err := db.ExecContext(ctx, `ALTER NAMED COLLECTION `+c.name+` SET `+settings); err != nil {
		return fmt.Errorf("change the Kafka settings in ClickHouse: %w", err)
	}
	return reattach(ctx, db, c.table)
}

func reattach(ctx context.Context, db *sql.DB, table string) error {
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = ?`, table).Scan(&exists); err != nil {
		return fmt.Errorf("look for table %s: %w", table, err)
	}
	if !exists {
		return nil
	}
	// Stopped between the two, the program would leave the server without its consumers.
	if _, err := db.ExecContext(context.WithoutCancel(ctx), "DETACH TABLE "+table); err != nil {
		return fmt.Errorf("detach table %s to take over new Kafka settings: %w", table, err)
	}
	if err := attach(ctx, db, table); err != nil {
		return fmt.Errorf("attach table %s to take over new Kafka settings: %w", table, err)
	}
	return nil
}

// Literal quotes s as a ClickHouse string literal.
func Literal(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'`
}
