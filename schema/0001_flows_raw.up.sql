CREATE TABLE IF NOT EXISTS flows_raw
(
    `Date` Date ALIAS toDate(TimeReceived) COMMENT 'Day of TimeReceived (UTC)',
    `FlowType` Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4) COMMENT 'Protocol that the flow was received by',
    `SequenceNum` UInt64 COMMENT 'Sequence number of the datagram that carried the flow' CODEC(Delta, ZSTD(1)),
    `TimeReceived` DateTime('UTC') COMMENT 'When the collector received the flow: the time that dashboards and retention go by' CODEC(DoubleDelta, ZSTD(1)),
    `SamplingRate` UInt64 COMMENT 'Packets per sample: multiply Bytes and Packets by it; never 0' CODEC(T64, ZSTD(1)),
    `SamplingRateSource` Enum8('unspecified' = 0, 'packet' = 1, 'options' = 2, 'configured' = 3, 'unknown' = 4) COMMENT 'Where SamplingRate came from; unknown: nobody said, 1 was assumed',
    `FlowDirection` UInt8 COMMENT 'Side of the interface on which the flow was seen: 0 ingress, 1 egress',
    `SamplerAddress` IPv6 COMMENT 'Address that identifies the exporter; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `TimeFlowStart` UInt64 COMMENT 'Start of the flow, in seconds since 1970-01-01 UTC' CODEC(DoubleDelta, ZSTD(1)),
    `TimeFlowEnd` UInt64 COMMENT 'End of the flow, in seconds since 1970-01-01 UTC' CODEC(DoubleDelta, ZSTD(1)),
    `Bytes` UInt64 COMMENT 'Bytes as sampled, not multiplied by SamplingRate' CODEC(T64, ZSTD(1)),
    `Packets` UInt64 COMMENT 'Packets as sampled, not multiplied by SamplingRate' CODEC(T64, ZSTD(1)),
    `SrcAddr` IPv6 COMMENT 'Source address; IPv4 is stored as ::ffff:a.b.c.d, :: is none' CODEC(ZSTD(1)),
    `DstAddr` IPv6 COMMENT 'Destination address; IPv4 is stored as ::ffff:a.b.c.d, :: is none' CODEC(ZSTD(1)),
    `EType` UInt16 COMMENT 'Ethertype of the network layer: 2048 IPv4, 34525 IPv6' CODEC(T64, ZSTD(1)),
    `Proto` UInt8 COMMENT 'IP protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6' CODEC(ZSTD(1)),
    `SrcPort` UInt32 COMMENT 'Source port, 0 where the protocol has none or the packet does not carry it' CODEC(T64, ZSTD(1)),
    `DstPort` UInt32 COMMENT 'Destination port, 0 where the protocol has none or the packet does not carry it' CODEC(T64, ZSTD(1)),
    `InIf` UInt32 COMMENT 'ifIndex of the interface that the packet came in by; unique only together with SamplerAddress' CODEC(T64, ZSTD(1)),
    `OutIf` UInt32 COMMENT 'ifIndex of the interface that the packet left by; unique only together with SamplerAddress' CODEC(T64, ZSTD(1)),
    `SrcMac` UInt64 COMMENT 'Source MAC address as a number; MACNumToString() makes it readable' CODEC(T64, ZSTD(1)),
    `DstMac` UInt64 COMMENT 'Destination MAC address as a number; MACNumToString() makes it readable' CODEC(T64, ZSTD(1)),
    `SrcVlan` UInt32 COMMENT 'VLAN of the interface that the packet came in by' CODEC(T64, ZSTD(1)),
    `DstVlan` UInt32 COMMENT 'VLAN of the interface that the packet left by' CODEC(T64, ZSTD(1)),
    `VlanId` UInt32 COMMENT 'VLAN id of the outermost 802.1Q tag in the packet' CODEC(T64, ZSTD(1)),
    `IngressVrfId` UInt32 COMMENT 'VRF that the packet came in by' CODEC(T64, ZSTD(1)),
    `EgressVrfId` UInt32 COMMENT 'VRF that the packet left by' CODEC(T64, ZSTD(1)),
    `IPTos` UInt8 COMMENT 'Type of service or traffic class; DSCP is the upper six bits' CODEC(ZSTD(1)),
    `ForwardingStatus` UInt8 COMMENT 'What the router did with the packet (IANA IPFIX forwardingStatus)' CODEC(ZSTD(1)),
    `IPTTL` UInt8 COMMENT 'Time to live or hop limit' CODEC(ZSTD(1)),
    `TCPFlags` UInt8 COMMENT 'TCP flags of the packet, or of all packets of the flow: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128' CODEC(ZSTD(1)),
    `IcmpType` UInt8 COMMENT 'ICMP or ICMPv6 type' CODEC(ZSTD(1)),
    `IcmpCode` UInt8 COMMENT 'ICMP or ICMPv6 code' CODEC(ZSTD(1)),
    `IPv6FlowLabel` UInt32 COMMENT 'IPv6 flow label' CODEC(T64, ZSTD(1)),
    `FragmentId` UInt32 COMMENT 'Identification field of the IP or fragment header' CODEC(T64, ZSTD(1)),
    `FragmentOffset` UInt32 COMMENT 'Fragment offset in units of 8 bytes' CODEC(T64, ZSTD(1)),
    `BiFlowDirection` UInt8 COMMENT 'Direction of a biflow (RFC 5103)' CODEC(ZSTD(1)),
    `SrcAS` UInt32 COMMENT 'AS number of the source, 0 if unknown' CODEC(T64, ZSTD(1)),
    `DstAS` UInt32 COMMENT 'AS number of the destination, 0 if unknown' CODEC(T64, ZSTD(1)),
    `NextHop` IPv6 COMMENT 'Next router towards the destination, :: if unknown' CODEC(ZSTD(1)),
    `NextHopAS` UInt32 COMMENT 'AS number of the next router, 0 if unknown' CODEC(T64, ZSTD(1)),
    `SrcNet` UInt8 COMMENT 'Prefix length of the route to the source' CODEC(ZSTD(1)),
    `DstNet` UInt8 COMMENT 'Prefix length of the route to the destination' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (toStartOfFiveMinutes(TimeReceived), SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr, TimeReceived)
TTL TimeReceived + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Every flow that NetMeta received, one row each, un-aggregated'
