CREATE TABLE IF NOT EXISTS pipeline_queue
(
    `Time` UInt64,
    `Instance` String,
    `Started` UInt64,
    `Metric` String,
    `Labels` Map(String, String),
    `Value` Float64,
    `Increase` Float64
)
ENGINE = Kafka(netmeta_kafka_pipeline)
SETTINGS
    kafka_format = 'Protobuf',
    kafka_schema = '',
    format_schema_source = 'string',
    format_schema = '${PIPELINE_COUNTER_DEFINITION}',
    format_schema_message_name = 'PipelineCounter',
    kafka_handle_error_mode = 'stream',
    kafka_flush_interval_ms = 1000,
    kafka_poll_timeout_ms = 500,
    kafka_poll_max_batch_size = 256,
    kafka_max_block_size = 65536
COMMENT 'PipelineCounters as they come from Kafka: read by the view pipeline_gate, not by people'
