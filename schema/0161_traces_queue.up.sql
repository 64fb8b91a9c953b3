CREATE TABLE IF NOT EXISTS traces_queue
(
    `Time` UInt64,
    `Kind` Int32,
    `Monitor` String,
    `SrcAddr` String,
    `DstAddr` String,
    `Method` String,
    `StopReason` String,
    `List` String,
    `ListID` UInt32,
    `CycleID` UInt32,
    `UserID` UInt32,
    `Sent` UInt32,
    `Replies` UInt32,
    `RTTMin` UInt32,
    `RTTAvg` UInt32,
    `RTTMax` UInt32,
    `HopTTL` Array(UInt32),
    `HopAttempt` Array(UInt32),
    `HopAddress` Array(String),
    `HopRTT` Array(UInt32),
    `HopReplyTTL` Array(UInt32),
    `HopICMPType` Array(UInt32),
    `HopICMPCode` Array(UInt32),
    `MPLSHop` Array(UInt32),
    `MPLSLabel` Array(UInt32)
)
ENGINE = Kafka(netmeta_kafka_traces)
SETTINGS
    kafka_format = 'Protobuf',
    kafka_schema = '',
    format_schema_source = 'string',
    format_schema = '${TRACE_DEFINITION}',
    format_schema_message_name = 'Trace',
    kafka_handle_error_mode = 'stream',
    kafka_flush_interval_ms = 1000,
    kafka_poll_timeout_ms = 500,
    kafka_poll_max_batch_size = 256,
    kafka_max_block_size = 65536
COMMENT 'Traces as they come from Kafka: read by the view traces_gate, not by people'
