CREATE TABLE IF NOT EXISTS counters_queue
(
    `TimeReceived` UInt64,
    `SamplerAddress` String,
    `ObservationDomain` UInt32,
    `SequenceNum` UInt32,
    `Uptime` UInt32,
    `Interface` UInt32,
    `Name` String,
    `Type` UInt32,
    `Speed` UInt64,
    `Duplex` UInt32,
    `Status` UInt32,
    `InOctets` UInt64,
    `InUnicastPackets` UInt32,
    `InMulticastPackets` UInt32,
    `InBroadcastPackets` UInt32,
    `InDiscards` UInt32,
    `InErrors` UInt32,
    `InUnknownProtocols` UInt32,
    `OutOctets` UInt64,
    `OutUnicastPackets` UInt32,
    `OutMulticastPackets` UInt32,
    `OutBroadcastPackets` UInt32,
    `OutDiscards` UInt32,
    `OutErrors` UInt32,
    `PromiscuousMode` UInt32
)
ENGINE = Kafka(netmeta_kafka_counters)
SETTINGS
    kafka_format = 'Protobuf',
    kafka_schema = '',
    format_schema_source = 'string',
    format_schema = '${INTERFACE_COUNTERS_DEFINITION}',
    format_schema_message_name = 'InterfaceCounters',
    kafka_handle_error_mode = 'stream',
    kafka_flush_interval_ms = 1000,
    kafka_poll_timeout_ms = 500,
    kafka_poll_max_batch_size = 256,
    kafka_max_block_size = 65536
COMMENT 'InterfaceCounters as they come from Kafka: read by the view counters_gate, not by people'
