package serverconfig

// log is a table in which ClickHouse notes what it does. Unless told otherwise,
// ClickHouse keeps such tables for ever, and they outgrow the flows.
type log struct {
	Name string
	// Engine has the log dropped by the day, as whole parts, after a week. Left empty,
	// the log is switched off.
	Engine string
	// Level is the least severe message that text_log takes.
	Level string
}

// logEngine is the engine of all logs that are kept. All of them have the columns
// event_date and event_time.
const logEngine = `ENGINE = MergeTree
      PARTITION BY event_date
      ORDER BY (event_date, event_time)
      TTL event_date + INTERVAL 7 DAY DELETE
      SETTINGS ttl_only_drop_parts = 1`

// logs are those of ClickHouse 26.7. Kept is what answers questions after the fact: who
// asked what and how long it took, which parts were made and merged, what failed.
// Switched off is what is large and for developers of ClickHouse, or is measured better
// from outside (metrics), or belongs to parts that NetMeta does not use.
var logs = []log{
	{Name: "query_log", Engine: logEngine},
	{Name: "part_log", Engine: logEngine},
	{Name: "error_log", Engine: logEngine},
	{Name: "crash_log", Engine: logEngine},
	{Name: "backup_log", Engine: logEngine},
	{Name: "text_log", Engine: logEngine, Level: "warning"},

	{Name: "aggregated_zookeeper_log"},
	{Name: "asynchronous_insert_log"},
	{Name: "asynchronous_metric_log"},
	{Name: "azure_queue_log"},
	{Name: "background_schedule_pool_log"},
	{Name: "blob_storage_log"},
	{Name: "dead_letter_queue"},
	{Name: "delta_lake_metadata_log"},
	{Name: "filesystem_cache_log"},
	{Name: "filesystem_read_prefetches_log"},
	{Name: "iceberg_metadata_log"},
	{Name: "instrumentation_trace_log"},
	{Name: "latency_log"},
	{Name: "metric_log"},
	{Name: "opentelemetry_span_log"},
	{Name: "predicate_statistics_log"},
	{Name: "processors_profile_log"},
	{Name: "query_metric_log"},
	{Name: "query_thread_log"},
	{Name: "query_views_log"},
	{Name: "s3queue_log"},
	{Name: "session_log"},
	{Name: "trace_log"},
	{Name: "transactions_info_log"},
	{Name: "transposed_metric_log"},
	{Name: "zookeeper_connection_log"},
	{Name: "zookeeper_log"},
}
