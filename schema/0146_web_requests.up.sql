CREATE TABLE IF NOT EXISTS web_requests
(
    `TimeReceived` DateTime('UTC') COMMENT 'When the server logged the request, at its end' CODEC(DoubleDelta, ZSTD(1)),
    `SamplerAddress` IPv6 COMMENT 'Address of the server, as SamplerAddress of flows_raw; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `ServerPort` UInt16 COMMENT 'Port of the server' CODEC(T64, ZSTD(1)),
    `ClientAddress` IPv6 COMMENT 'Address of the client' CODEC(ZSTD(1)),
    `Host` LowCardinality(String) COMMENT 'Host that was asked for, without port' CODEC(ZSTD(1)),
    `Method` LowCardinality(String) COMMENT 'Method of the request' CODEC(ZSTD(1)),
    `Path` LowCardinality(String) COMMENT 'Group of the path: without query, and with * for numbers and ids' CODEC(ZSTD(1)),
    `Status` UInt16 COMMENT 'Status code of the response, 0 where there was none' CODEC(T64, ZSTD(1)),
    `StatusClass` String ALIAS concat(toString(intDiv(Status, 100)), 'xx') COMMENT 'Class of Status: 2xx, 3xx, 4xx, 5xx',
    `Bytes` UInt64 COMMENT 'Bytes of the response, as the server logs them' CODEC(T64, ZSTD(1)),
    `Duration` UInt64 COMMENT 'How long the response took, in microseconds; 0 if unknown' CODEC(T64, ZSTD(1)),
    `TLSVersion` LowCardinality(String) COMMENT 'Version of TLS: TLS 1.3; empty without, or where the log does not tell' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (SamplerAddress, Host, TimeReceived)
TTL TimeReceived + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Requests that web servers logged, one row each; their traffic is in flows_raw as well'
