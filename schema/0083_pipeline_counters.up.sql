CREATE TABLE IF NOT EXISTS pipeline_counters
(
    `Time` DateTime('UTC') COMMENT 'When the counter was read' CODEC(DoubleDelta, ZSTD(1)),
    `Instance` LowCardinality(String) COMMENT 'The collector: the name that it is given, or that of its host' CODEC(ZSTD(1)),
    `Started` DateTime('UTC') COMMENT 'When the process that counts was started: every counter was 0 then' CODEC(ZSTD(1)),
    `Metric` LowCardinality(String) COMMENT 'Name of the metric, as at /metrics; doc/metrics.md has them all' CODEC(ZSTD(1)),
    `Labels` Map(LowCardinality(String), String) COMMENT 'Labels of the metric, as at /metrics: exporter, protocol, reason ...' CODEC(ZSTD(1)),
    `Value` Float64 COMMENT 'The counter since Started, or what the gauge shows' CODEC(ZSTD(1)),
    `Increase` Float64 COMMENT 'By how much the counter has grown since the row before, or since Started; 0 for a gauge. Its sum is right over any time and any restarts' CODEC(ZSTD(1)),
    `Stored` DateTime('UTC') DEFAULT now() COMMENT 'When ClickHouse stored the row: Stored - Time is how long it takes from a collector to the tables' CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Time)
ORDER BY (Metric, Time, Instance)
TTL Time + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'What collectors say of themselves, every 10 seconds: what they received, passed on and lost. Those of single exporters only where they have changed. The view pipeline tells what was lost and why'
