CREATE TABLE IF NOT EXISTS interface_counters
(
    `TimeReceived` DateTime('UTC') COMMENT 'When the collector received the counters' CODEC(DoubleDelta, ZSTD(1)),
    `SamplerAddress` IPv6 COMMENT 'Address of the agent, as SamplerAddress of flows_raw; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `ObservationDomain` UInt32 COMMENT 'Sub-agent, as ObservationDomain of flows_raw' CODEC(T64, ZSTD(1)),
    `SequenceNum` UInt32 COMMENT 'Sequence number of the datagram' CODEC(Delta, ZSTD(1)),
    `Uptime` UInt32 COMMENT 'How long the agent had been running, in milliseconds; less than before: it was restarted' CODEC(Delta, ZSTD(1)),
    `Interface` UInt32 COMMENT 'ifIndex, as InIf and OutIf of flows_raw; unique only together with SamplerAddress' CODEC(T64, ZSTD(1)),
    `Name` LowCardinality(String) COMMENT 'Name of the interface, where the agent sends it' CODEC(ZSTD(1)),
    `Type` UInt32 COMMENT 'ifType (IANA): 6 Ethernet, 161 link aggregation' CODEC(T64, ZSTD(1)),
    `Speed` UInt64 COMMENT 'ifSpeed in bits per second' CODEC(T64, ZSTD(1)),
    `Duplex` UInt8 COMMENT '1 full duplex, 2 half duplex, 3 receives only, 4 sends only, 0 unknown' CODEC(ZSTD(1)),
    `Status` UInt8 COMMENT 'Bit 0: ifAdminStatus is up, bit 1: ifOperStatus is up' CODEC(ZSTD(1)),
    `InOctets` UInt64 COMMENT 'ifInOctets: bytes received' CODEC(Delta, ZSTD(1)),
    `InUnicastPackets` UInt32 COMMENT 'ifInUcastPkts: unicast packets received' CODEC(Delta, ZSTD(1)),
    `InMulticastPackets` UInt32 COMMENT 'ifInMulticastPkts: multicast packets received' CODEC(Delta, ZSTD(1)),
    `InBroadcastPackets` UInt32 COMMENT 'ifInBroadcastPkts: broadcast packets received' CODEC(Delta, ZSTD(1)),
    `InDiscards` UInt32 COMMENT 'ifInDiscards: packets received and dropped without an error, for want of buffers for example' CODEC(Delta, ZSTD(1)),
    `InErrors` UInt32 COMMENT 'ifInErrors: packets received with errors' CODEC(Delta, ZSTD(1)),
    `InUnknownProtocols` UInt32 COMMENT 'ifInUnknownProtos: packets received and dropped because their protocol is not known' CODEC(Delta, ZSTD(1)),
    `OutOctets` UInt64 COMMENT 'ifOutOctets: bytes sent' CODEC(Delta, ZSTD(1)),
    `OutUnicastPackets` UInt32 COMMENT 'ifOutUcastPkts: unicast packets sent' CODEC(Delta, ZSTD(1)),
    `OutMulticastPackets` UInt32 COMMENT 'ifOutMulticastPkts: multicast packets sent' CODEC(Delta, ZSTD(1)),
    `OutBroadcastPackets` UInt32 COMMENT 'ifOutBroadcastPkts: broadcast packets sent' CODEC(Delta, ZSTD(1)),
    `OutDiscards` UInt32 COMMENT 'ifOutDiscards: packets that were to be sent and were dropped, since the link was full for example' CODEC(Delta, ZSTD(1)),
    `OutErrors` UInt32 COMMENT 'ifOutErrors: packets that could not be sent for errors' CODEC(Delta, ZSTD(1)),
    `PromiscuousMode` UInt8 COMMENT 'ifPromiscuousMode: 1 true, 2 false' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (SamplerAddress, Interface, TimeReceived)
TTL TimeReceived + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Counters of interfaces as sFlow agents sent them: totals that wrap or start again; interface_traffic makes rates of them'
