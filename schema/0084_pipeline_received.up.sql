CREATE TABLE IF NOT EXISTS pipeline_received
(
    `Time` UInt64,
    `Instance` String,
    `Started` UInt64,
    `Metric` String,
    `Labels` Map(String, String),
    `Value` Float64,
    `Increase` Float64,
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message',
    `_partition` UInt64 COMMENT 'Kafka partition of the message',
    `_offset` UInt64 COMMENT 'Kafka offset of the message',
    `_timestamp` Nullable(DateTime) COMMENT 'Time of the message by its producer''s clock',
    `_error` String COMMENT 'Why the message could not be parsed; empty for a message that could',
    `_raw_message` String COMMENT 'The message, where it could not be parsed'
)
ENGINE = Null
COMMENT 'What pipeline_gate takes from pipeline_queue passes through here to every view that stores some of it; holds nothing'
