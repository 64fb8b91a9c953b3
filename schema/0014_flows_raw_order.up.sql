-- A table cannot be given another order, so it is made anew with what it holds. It takes
-- the place of the old one at once, when it is complete: cut off before, nothing has
-- happened, and done again, nothing changes. doc/storage.md has the reasons for the design.
CREATE OR REPLACE TABLE flows_raw
(
    `Date` Date ALIAS toDate(TimeReceived) COMMENT 'Day of TimeReceived (UTC)',
    `FlowType` Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4) COMMENT 'Protocol that the flow was received by',
    `SequenceNum` UInt64 COMMENT 'Sequence number of the datagram that carried the flow' CODEC(T64, ZSTD(1)),
    `TimeReceived` DateTime('UTC') COMMENT 'When the collector received the flow: the time that dashboards and retention go by' CODEC(T64, LZ4),
    `SamplingRate` UInt64 COMMENT 'Packets per sample: multiply Bytes and Packets by it; never 0' CODEC(T64, LZ4),
    `SamplingRateSource` Enum8('unspecified' = 0, 'packet' = 1, 'options' = 2, 'configured' = 3, 'unknown' = 4) COMMENT 'Where SamplingRate came from; unknown: nobody said, 1 was assumed',
    `FlowDirection` UInt8 COMMENT 'Side of the interface on which the flow was seen: 0 ingress, 1 egress',
    `HasFlowDirection` Bool COMMENT 'Whether the exporter said FlowDirection; otherwise its 0 means nothing' CODEC(ZSTD(1)),
    `SamplerAddress` IPv6 COMMENT 'Address that identifies the exporter; IPv4 is stored as ::ffff:a.b.c.d' CODEC(ZSTD(1)),
    `ObservationDomain` UInt32 COMMENT 'Part of the exporter that counts for itself: sub-agent, engine, source id, observation domain' CODEC(T64, ZSTD(1)),
    `TimeFlowStart` UInt64 COMMENT 'Start of the flow, in seconds since 1970-01-01 UTC' CODEC(T64, ZSTD(1)),
    `TimeFlowEnd` UInt64 COMMENT 'End of the flow, in seconds since 1970-01-01 UTC' CODEC(T64, ZSTD(1)),
    `FlowEndReason` UInt8 COMMENT 'Why the flow was finished (IANA IPFIX flowEndReason): 1 idle timeout, 2 active timeout, 3 end of flow, 4 forced end, 5 lack of resources' CODEC(ZSTD(1)),
    `Bytes` UInt64 COMMENT 'Bytes as sampled, not multiplied by SamplingRate' CODEC(T64, LZ4),
    `Packets` UInt64 COMMENT 'Packets as sampled, not multiplied by SamplingRate' CODEC(T64, ZSTD(1)),
    `SrcAddr` IPv6 COMMENT 'Source address; IPv4 is stored as ::ffff:a.b.c.d, :: is none' CODEC(ZSTD(1)),
    `DstAddr` IPv6 COMMENT 'Destination address; IPv4 is stored as ::ffff:a.b.c.d, :: is none' CODEC(ZSTD(1)),
    `EType` UInt16 COMMENT 'Ethertype of the network layer: 2048 IPv4, 34525 IPv6' CODEC(T64, ZSTD(1)),
    `Proto` UInt8 COMMENT 'IP protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6' CODEC(ZSTD(1)),
    `SrcPort` UInt32 COMMENT 'Source port, 0 where the protocol has none or the packet does not carry it' CODEC(T64, ZSTD(1)),
    `DstPort` UInt32 COMMENT 'Destination port, 0 where the protocol has none or the packet does not carry it' CODEC(T64, LZ4),
    `InIf` UInt32 COMMENT 'ifIndex of the interface that the packet came in by; unique only together with SamplerAddress' CODEC(LZ4),
    `OutIf` UInt32 COMMENT 'ifIndex of the interface that the packet left by; unique only together with SamplerAddress' CODEC(ZSTD(1)),
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
    `SrcAS` UInt32 COMMENT 'AS number of the source, 0 if unknown' CODEC(LZ4),
    `DstAS` UInt32 COMMENT 'AS number of the destination, 0 if unknown' CODEC(LZ4),
    `NextHop` IPv6 COMMENT 'Next router towards the destination, :: if unknown' CODEC(ZSTD(1)),
    `NextHopAS` UInt32 COMMENT 'AS number of the next router, 0 if unknown' CODEC(ZSTD(1)),
    `SrcNet` UInt8 COMMENT 'Prefix length of the route to the source' CODEC(ZSTD(1)),
    `DstNet` UInt8 COMMENT 'Prefix length of the route to the destination' CODEC(ZSTD(1)),
    `TunnelType` Enum8('none' = 0, 'other' = 1, 'gre' = 2, 'ipip' = 3, 'vxlan' = 4, 'geneve' = 5, 'teredo' = 6, 'nvgre' = 7) COMMENT 'Tunnel that the packet is: the columns Inner... describe the packet inside, all others the one around it' CODEC(ZSTD(1)),
    `VNI` UInt32 COMMENT 'Virtual network of the tunnel: VNI of VXLAN and Geneve, VSID of NVGRE, key of GRE' CODEC(T64, ZSTD(1)),
    `InnerSrcAddr` IPv6 COMMENT 'Source address of the packet inside the tunnel, :: is none' CODEC(ZSTD(1)),
    `InnerDstAddr` IPv6 COMMENT 'Destination address of the packet inside the tunnel, :: is none' CODEC(ZSTD(1)),
    `InnerEType` UInt16 COMMENT 'Ethertype of the packet inside the tunnel' CODEC(T64, ZSTD(1)),
    `InnerProto` UInt8 COMMENT 'IP protocol number of the packet inside the tunnel' CODEC(ZSTD(1)),
    `InnerSrcPort` UInt16 COMMENT 'Source port of the packet inside the tunnel' CODEC(T64, ZSTD(1)),
    `InnerDstPort` UInt16 COMMENT 'Destination port of the packet inside the tunnel' CODEC(T64, ZSTD(1)),
    `InnerTCPFlags` UInt8 COMMENT 'TCP flags of the packet inside the tunnel, as TCPFlags' CODEC(ZSTD(1)),
    `InnerIPTos` UInt8 COMMENT 'Type of service or traffic class of the packet inside the tunnel' CODEC(ZSTD(1)),
    `InnerIPTTL` UInt8 COMMENT 'Time to live or hop limit of the packet inside the tunnel' CODEC(ZSTD(1)),
    `MPLSCount` UInt8 COMMENT 'Number of MPLS labels of the packet; where the sample was cut off among them, of those in MPLSLabels' CODEC(ZSTD(1)),
    `MPLSLabels` Array(UInt32) COMMENT 'MPLS labels from the top: the first three, and the bottom one where there are more' CODEC(ZSTD(1)),
    `PostNATSrcAddr` IPv6 COMMENT 'Source address after translation, :: if not told' CODEC(ZSTD(1)),
    `PostNATDstAddr` IPv6 COMMENT 'Destination address after translation, :: if not told' CODEC(ZSTD(1)),
    `PostNATSrcPort` UInt16 COMMENT 'Source port after translation' CODEC(T64, ZSTD(1)),
    `PostNATDstPort` UInt16 COMMENT 'Destination port after translation' CODEC(T64, ZSTD(1)),
    `NATEvent` UInt8 COMMENT 'What a translator reports (IANA IPFIX natEvent): 4 NAT44 session created, 5 deleted ...' CODEC(ZSTD(1)),
    `FirewallEvent` UInt8 COMMENT 'What a firewall reports (IANA IPFIX firewallEvent): 1 created, 2 deleted, 3 denied, 4 alert, 5 update' CODEC(ZSTD(1)),
    `BGPNextHop` IPv6 COMMENT 'Next router of the BGP route to the destination, :: if unknown' CODEC(ZSTD(1)),
    `ASPath` Array(UInt32) COMMENT 'AS numbers of the BGP path to the destination, next one first' CODEC(ZSTD(1)),
    `Communities` Array(UInt32) COMMENT 'Communities (RFC 1997) of the BGP route to the destination, AS number in the upper 16 bits' CODEC(ZSTD(1)),
    `ApplicationID` UInt64 COMMENT 'Application as the exporter classified it (RFC 6759): engine in the upper 8 of usually 32 bits, selector in the lower' CODEC(T64, ZSTD(1)),
    `ApplicationName` LowCardinality(String) COMMENT 'Name of the application, as the exporter gave it' CODEC(ZSTD(1)),
    INDEX time TimeReceived TYPE minmax GRANULARITY 1,
    INDEX source SrcAddr TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX destination DstAddr TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX source_as SrcAS TYPE set(1000) GRANULARITY 1,
    INDEX destination_as DstAS TYPE set(1000) GRANULARITY 1,
    PROJECTION per_second
    (
        SELECT
            TimeReceived, FlowDirection, EType, Proto,
            count(), sum(Bytes * SamplingRate), sum(Bytes * 8 * SamplingRate), sum(Packets * SamplingRate)
        GROUP BY TimeReceived, FlowDirection, EType, Proto
    )
)
ENGINE = MergeTree
PARTITION BY toDate(TimeReceived)
ORDER BY (negate(toUnixTimestamp(toStartOfFiveMinutes(TimeReceived))), SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr)
TTL ${RETENTION}
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Every flow that NetMeta received, one row each, un-aggregated'
AS SELECT * FROM flows_raw
