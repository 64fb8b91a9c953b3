CREATE TABLE IF NOT EXISTS flows_1h
(
    `TimeReceived` DateTime('UTC') COMMENT 'Start of the hour in which the flows were received' CODEC(T64, ZSTD(1)),
    `SamplerAddress` IPv6 COMMENT 'Address that identifies the exporter; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `InIf` UInt32 COMMENT 'ifIndex of the interface that the packets came in by; unique only together with SamplerAddress' CODEC(ZSTD(1)),
    `OutIf` UInt32 COMMENT 'ifIndex of the interface that the packets left by; unique only together with SamplerAddress' CODEC(ZSTD(1)),
    `FlowDirection` UInt8 COMMENT 'Side of the interface on which the flows were seen: 0 ingress, 1 egress' CODEC(ZSTD(1)),
    `EType` UInt16 COMMENT 'Ethertype of the network layer: 2048 IPv4, 34525 IPv6' CODEC(ZSTD(1)),
    `Proto` UInt8 COMMENT 'IP protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6' CODEC(ZSTD(1)),
    `ServicePort` UInt32 COMMENT 'Port of the service, servicePort(Proto, SrcPort, DstPort); 0 where neither port is known' CODEC(ZSTD(1)),
    `SrcAS` UInt32 COMMENT 'AS number of the source, 0 if unknown' CODEC(ZSTD(1)),
    `DstAS` UInt32 COMMENT 'AS number of the destination, 0 if unknown' CODEC(ZSTD(1)),
    `Flows` UInt64 COMMENT 'Number of rows of flows_raw' CODEC(T64, ZSTD(1)),
    `Bytes` UInt64 COMMENT 'Estimated traffic in bytes: the sum of Bytes × SamplingRate' CODEC(T64, ZSTD(1)),
    `Packets` UInt64 COMMENT 'Estimated traffic in packets: the sum of Packets × SamplingRate' CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(TimeReceived)
PRIMARY KEY (toDate(TimeReceived), SamplerAddress, InIf, OutIf)
ORDER BY (toDate(TimeReceived), SamplerAddress, InIf, OutIf, SrcAS, DstAS, FlowDirection, EType, Proto, ServicePort, TimeReceived)
TTL TimeReceived + toIntervalDay(400)
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Sums of flows_raw by hour, without hosts; a sum may lie in several rows until they are merged: add them up'
