CREATE TABLE IF NOT EXISTS traces
(
    `TimeReceived` DateTime('UTC') COMMENT 'When the first probe was sent' CODEC(DoubleDelta, ZSTD(1)),
    `Kind` Enum8('unknown' = 0, 'trace' = 1, 'ping' = 2) COMMENT 'What was measured: the path (a traceroute), or the destination alone' CODEC(ZSTD(1)),
    `Monitor` LowCardinality(String) COMMENT 'Name of the monitor that measured' CODEC(ZSTD(1)),
    `SrcAddr` IPv6 COMMENT 'Address of the monitor; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `DstAddr` IPv6 COMMENT 'Address that was probed' CODEC(ZSTD(1)),
    `DstAS` UInt32 DEFAULT 0 COMMENT 'AS number that announced DstAddr when the row was stored; 0 where no table of AS numbers has it' CODEC(T64, ZSTD(1)),
    `Method` LowCardinality(String) COMMENT 'How it was probed, in scamper''s words: udp-paris, icmp-echo-paris, tcp-ack, icmp-echo ...' CODEC(ZSTD(1)),
    `StopReason` LowCardinality(String) COMMENT 'Why it ended, in scamper''s words: completed, unreach, icmp, loop, gaplimit, error, hoplimit, gss, halted; empty if unknown' CODEC(ZSTD(1)),
    `Reached` Bool DEFAULT false COMMENT 'The destination has answered' CODEC(ZSTD(1)),
    `RTT` UInt32 DEFAULT 0 COMMENT 'Round trip time to the destination, in microseconds: the shortest of a trace, the mean of a ping; 0 where it was not reached' CODEC(T64, ZSTD(1)),
    `List` LowCardinality(String) COMMENT 'Name of the list of destinations' CODEC(ZSTD(1)),
    `ListID` UInt32 COMMENT 'Number of the list' CODEC(T64, ZSTD(1)),
    `CycleID` UInt32 COMMENT 'Number of the run through the list' CODEC(T64, ZSTD(1)),
    `UserID` UInt32 COMMENT 'Number that the user of the measurement has given it' CODEC(T64, ZSTD(1)),
    `Sent` UInt32 COMMENT 'Probes that were sent' CODEC(T64, ZSTD(1)),
    `Replies` UInt32 COMMENT 'Replies: of a ping, the probes that the destination answered; of a trace, its hops' CODEC(T64, ZSTD(1)),
    `RTTMin` UInt32 COMMENT 'Shortest round trip time of the replies to a ping, in microseconds' CODEC(T64, ZSTD(1)),
    `RTTAvg` UInt32 COMMENT 'Mean round trip time of the replies to a ping, in microseconds' CODEC(T64, ZSTD(1)),
    `RTTMax` UInt32 COMMENT 'Longest round trip time of the replies to a ping, in microseconds' CODEC(T64, ZSTD(1)),
    `HopTTL` Array(UInt8) COMMENT 'TTLs of the probes that hops answered; all columns that begin with Hop have the same length' CODEC(ZSTD(1)),
    `HopAttempt` Array(UInt8) COMMENT 'Which attempt with this TTL it was, from 1' CODEC(ZSTD(1)),
    `HopAddress` Array(IPv6) COMMENT 'Addresses that the replies came from' CODEC(ZSTD(1)),
    `HopAS` Array(UInt32) DEFAULT [] COMMENT 'AS numbers that announced these addresses when the row was stored; 0 where no table of AS numbers has them' CODEC(ZSTD(1)),
    `HopRTT` Array(UInt32) COMMENT 'Round trip times in microseconds' CODEC(ZSTD(1)),
    `HopReplyTTL` Array(UInt8) COMMENT 'TTLs that the replies had left' CODEC(ZSTD(1)),
    `HopICMPType` Array(UInt8) COMMENT 'ICMP types of the replies; icmpName has their names' CODEC(ZSTD(1)),
    `HopICMPCode` Array(UInt8) COMMENT 'ICMP codes of the replies' CODEC(ZSTD(1)),
    `MPLSHop` Array(UInt16) COMMENT 'For each label in MPLSLabel, which hop, from 1, had received the probe with it' CODEC(ZSTD(1)),
    `MPLSLabel` Array(UInt32) COMMENT 'MPLS labels of probes, those of a stack from its top' CODEC(ZSTD(1)),
    `Path` Array(IPv6) ALIAS arrayMap(ttl -> HopAddress[indexOf(HopTTL, ttl)], range(1, toUInt16(arrayMax(arrayPushBack(HopTTL, 0))) + 1)) COMMENT 'The first address that answered for each TTL from 1 on; :: where none did',
    `ASPath` Array(UInt32) ALIAS arrayCompact(arrayFilter(asn -> asn != 0, HopAS)) COMMENT 'AS numbers of the hops in their order, without unknown ones and repetitions'
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (DstAddr, SrcAddr, TimeReceived)
TTL TimeReceived + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Measured paths, one row for each traceroute or ping, as netmeta import scamper reads them'
