CREATE TABLE IF NOT EXISTS flows_errors
(
    `TimeReceived` DateTime('UTC') COMMENT 'When Kafka received the message',
    `Topic` LowCardinality(String) COMMENT 'Kafka topic of the message',
    `Partition` UInt64 COMMENT 'Kafka partition of the message',
    `Offset` UInt64 COMMENT 'Kafka offset of the message',
    `Reason` String COMMENT 'Why it could not be parsed, in ClickHouse''s words',
    `Message` String COMMENT 'The message as it was received' CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (TimeReceived, Topic, Partition, Offset)
TTL TimeReceived + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Kafka messages that could not be parsed as FlowMessages; nothing of such a message is in flows_raw'
