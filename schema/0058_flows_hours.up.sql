CREATE OR REPLACE VIEW flows_hours
(
    `Time` DateTime('UTC') COMMENT 'Start of the hour in which the flows were received',
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
    flows_1h.TimeReceived AS Time,
    addressToString(flows_1h.SamplerAddress) AS Exporter,
    flows_1h.InIf AS InputInterface,
    flows_1h.OutIf AS OutputInterface,
    directionName(flows_1h.FlowDirection) AS Direction,
    etherTypeName(flows_1h.EType) AS Network,
    protocolName(flows_1h.Proto) AS Transport,
    serviceName(flows_1h.Proto, flows_1h.ServicePort, 0) AS Service,
    flows_1h.ServicePort AS ServicePort,
    flows_1h.SrcAS AS SourceASN,
    flows_1h.DstAS AS DestinationASN,
    flows_1h.Flows AS Flows,
    flows_1h.Bytes * 8 AS Bits,
    flows_1h.Bytes AS Bytes,
    flows_1h.Packets AS Packets,
    flows_1h.SamplerAddress AS SamplerAddress
FROM flows_1h
COMMENT 'flows_1h for people: the traffic of each hour, with names instead of numbers. Add rows up, also for a single hour'
