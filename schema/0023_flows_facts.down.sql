CREATE OR REPLACE VIEW flows
(
    `Time` DateTime('UTC') COMMENT 'When the flow was received',
    `Exporter` String COMMENT 'Address of the exporter',
    `Protocol` String COMMENT 'Protocol that the exporter speaks: sFlow, NetFlow v5, NetFlow v9, IPFIX',
    `Direction` String COMMENT 'in or out: the side of the interface on which the flow was seen',
    `Source` String COMMENT 'Source address, empty if unknown',
    `SourcePort` UInt32 COMMENT 'Source port',
    `Destination` String COMMENT 'Destination address, empty if unknown',
    `DestinationPort` UInt32 COMMENT 'Destination port',
    `Transport` String COMMENT 'Name of the IP protocol, or its number',
    `TCPFlags` String COMMENT 'Names of the TCP flags, joined by -',
    `Network` String COMMENT 'IPv4, IPv6, or the ethertype in hexadecimal',
    `Bits` UInt64 COMMENT 'Estimated traffic in bits: bytes × 8 × sampling rate',
    `Bytes` UInt64 COMMENT 'Estimated traffic in bytes: bytes × sampling rate',
    `Packets` UInt64 COMMENT 'Estimated traffic in packets: packets × sampling rate',
    `SamplingRate` UInt64 COMMENT 'Packets per sample',
    `SamplingRateSource` String COMMENT 'Where the sampling rate came from',
    `InputInterface` UInt32 COMMENT 'ifIndex of the interface that the packet came in by',
    `OutputInterface` UInt32 COMMENT 'ifIndex of the interface that the packet left by',
    `VLAN` UInt32 COMMENT 'VLAN id of the packet',
    `SourceASN` UInt32 COMMENT 'AS number of the source',
    `DestinationASN` UInt32 COMMENT 'AS number of the destination',
    `NextHop` String COMMENT 'Next router towards the destination, empty if unknown',
    `SourceMAC` String COMMENT 'Source MAC address, empty if unknown',
    `DestinationMAC` String COMMENT 'Destination MAC address, empty if unknown'
)
AS
WITH
    -- As people write them: 192.0.2.1 rather than ::ffff:192.0.2.1. Only the start
    -- is cut off, since 2001:db8::ffff:1:2 has the same letters inside.
    (address) -> if(address = toIPv6('::'), '', replaceRegexpOne(IPv6NumToString(address), '^::ffff:', '')) AS readable,
    (mac) -> if(mac = 0, '', MACNumToString(mac)) AS readableMAC
SELECT
    flows_raw.TimeReceived AS Time,
    readable(flows_raw.SamplerAddress) AS Exporter,
    transform(toInt8(flows_raw.FlowType), [1, 2, 3, 4], ['sFlow', 'NetFlow v5', 'NetFlow v9', 'IPFIX'], 'other') AS Protocol,
    if(flows_raw.FlowDirection = 1, 'out', 'in') AS Direction,
    readable(flows_raw.SrcAddr) AS Source,
    flows_raw.SrcPort AS SourcePort,
    readable(flows_raw.DstAddr) AS Destination,
    flows_raw.DstPort AS DestinationPort,
    transform(flows_raw.Proto,
        [1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 89, 103, 112, 132, 136],
        ['ICMP', 'IGMP', 'IPIP', 'TCP', 'UDP', 'IPv6', 'GRE', 'ESP', 'AH', 'ICMPv6', 'OSPF', 'PIM', 'VRRP', 'SCTP', 'UDP-Lite'],
        toString(flows_raw.Proto)) AS Transport,
    arrayStringConcat(
        arrayMap(flag -> transform(flag, [1, 2, 4, 8, 16, 32, 64, 128], ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'], ''),
            bitmaskToArray(flows_raw.TCPFlags)), '-') AS TCPFlags,
    multiIf(flows_raw.EType = 0x0800, 'IPv4', flows_raw.EType = 0x86dd, 'IPv6', concat('0x', lower(hex(flows_raw.EType)))) AS Network,
    flows_raw.Bytes * 8 * flows_raw.SamplingRate AS Bits,
    flows_raw.Bytes * flows_raw.SamplingRate AS Bytes,
    flows_raw.Packets * flows_raw.SamplingRate AS Packets,
    flows_raw.SamplingRate AS SamplingRate,
    toString(flows_raw.SamplingRateSource) AS SamplingRateSource,
    flows_raw.InIf AS InputInterface,
    flows_raw.OutIf AS OutputInterface,
    flows_raw.VlanId AS VLAN,
    flows_raw.SrcAS AS SourceASN,
    flows_raw.DstAS AS DestinationASN,
    readable(flows_raw.NextHop) AS NextHop,
    readableMAC(flows_raw.SrcMac) AS SourceMAC,
    readableMAC(flows_raw.DstMac) AS DestinationMAC
FROM flows_raw
COMMENT 'flows_raw for people: names instead of numbers, traffic already multiplied by the sampling rate'
