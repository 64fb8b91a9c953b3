CREATE OR REPLACE VIEW flows_minutes
(
    `Time` DateTime('UTC') COMMENT 'Start of the minute in which the flows were received',
    `Exporter` String COMMENT 'Address of the exporter',
    `InputInterface` UInt32 COMMENT 'ifIndex of the interface that the packets came in by',
    `OutputInterface` UInt32 COMMENT 'ifIndex of the interface that the packets left by',
    `Direction` String COMMENT 'in or out: the side of the interface on which the flows were seen; in where the exporter does not say',
    `Network` String COMMENT 'IPv4, IPv6, or the name or number of the ethertype',
    `Transport` String COMMENT 'Name of the IP protocol, or its number',
    `Service` String COMMENT 'Name of ServicePort, or its number; empty where neither port is known',
    `ServicePort` UInt32 COMMENT 'Port of the service: the known one of the two, or the lower one below 1024; otherwise 0',
    `SourceASN` UInt32 COMMENT 'AS number of the source',
    `DestinationASN` UInt32 COMMENT 'AS number of the destination',
    `Flows` UInt64 COMMENT 'Number of flows that were stored',
    `Bits` UInt64 COMMENT 'Estimated traffic in bits: bytes × 8 × sampling rate',
    `Bytes` UInt64 COMMENT 'Estimated traffic in bytes: bytes × sampling rate',
    `Packets` UInt64 COMMENT 'Estimated traffic in packets: packets × sampling rate',
    `SamplerAddress` IPv6 COMMENT 'The same as in flows_raw; filters on it and on interfaces are fast'
)
AS
SELECT
    flows_1m.TimeReceived AS Time,
    addressToString(flows_1m.SamplerAddress) AS Exporter,
    flows_1m.InIf AS InputInterface,
    flows_1m.OutIf AS OutputInterface,
    directionName(flows_1m.FlowDirection) AS Direction,
    etherTypeName(flows_1m.EType) AS Network,
    protocolName(flows_1m.Proto) AS Transport,
    serviceName(flows_1m.Proto, flows_1m.ServicePort, 0) AS Service,
    flows_1m.ServicePort AS ServicePort,
    flows_1m.SrcAS AS SourceASN,
    flows_1m.DstAS AS DestinationASN,
    flows_1m.Flows AS Flows,
    flows_1m.Bytes * 8 AS Bits,
    flows_1m.Bytes AS Bytes,
    flows_1m.Packets AS Packets,
    flows_1m.SamplerAddress AS SamplerAddress
FROM flows_1m
COMMENT 'flows_1m for people: the traffic of each minute, with names instead of numbers. Add rows up, also for a single minute'
