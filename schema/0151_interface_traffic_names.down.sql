CREATE OR REPLACE VIEW interface_traffic
(
    `Time` DateTime('UTC') COMMENT 'End of the interval: when the later of two counter samples was received',
    `Seconds` Float64 COMMENT 'Length of the interval by the agent''s clock',
    `Exporter` String COMMENT 'Address of the agent',
    `SamplerAddress` IPv6 COMMENT 'The same as in flows_raw; filters on it and on Interface are fast',
    `Interface` UInt32 COMMENT 'ifIndex',
    `Name` String COMMENT 'Name of the interface, empty if the agent does not send it',
    `Direction` String COMMENT 'in: received by the interface, out: sent',
    `BitsPerSecond` Nullable(Float64) COMMENT 'Traffic of the interval; over several intervals it is sum(Bytes) * 8 / sum(Seconds)',
    `PacketsPerSecond` Nullable(Float64) COMMENT 'Packets of the interval per second',
    `Bytes` Nullable(UInt64) COMMENT 'Bytes of the interval. NULL where counters cannot tell: the agent was restarted, its clock wrapped (every 50 days), the counter went back, is not kept',
    `Packets` Nullable(UInt64) COMMENT 'Packets of the interval, NULL as Bytes',
    `Discards` Nullable(UInt64) COMMENT 'Packets of the interval that were dropped without an error, NULL as Bytes',
    `Errors` Nullable(UInt64) COMMENT 'Packets of the interval with errors, NULL as Bytes',
    `Speed` UInt64 COMMENT 'Speed of the interface in bits per second, 0 if unknown',
    `Utilization` Nullable(Float64) COMMENT 'Share of the speed that was used, 0 to 1'
)
AS
WITH
    interval AS
    (
        SELECT
            *,
            lagInFrame((TimeReceived, SequenceNum, Uptime)) OVER earlier AS before,
            lagInFrame((InOctets, InUnicastPackets, InMulticastPackets, InBroadcastPackets, InDiscards, InErrors)) OVER earlier AS in_before,
            lagInFrame((OutOctets, OutUnicastPackets, OutMulticastPackets, OutBroadcastPackets, OutDiscards, OutErrors)) OVER earlier AS out_before
        FROM interface_counters
        WINDOW earlier AS
        (
            PARTITION BY SamplerAddress, Interface, ObservationDomain
            ORDER BY TimeReceived, SequenceNum
            ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
    ),
    growth AS
    (
        SELECT
            TimeReceived, SamplerAddress, Interface, Name, Speed,
            -- The agent says when it read the counters; datagrams are delayed.
            if(Uptime > before.3, (Uptime - before.3) / 1000, toFloat64(TimeReceived - before.1)) AS seconds,
            arrayJoin([
                ('in', (InOctets, InUnicastPackets, InMulticastPackets, InBroadcastPackets, InDiscards, InErrors), in_before),
                ('out', (OutOctets, OutUnicastPackets, OutMulticastPackets, OutBroadcastPackets, OutDiscards, OutErrors), out_before)]) AS side,
            side.2 AS now,
            side.3 AS then,
            Uptime >= before.3 AND now.1 >= then.1 AND now.1 != 0xffffffffffffffff AS known
        FROM interval
        -- The first sample has none before it; Kafka may deliver a message twice.
        WHERE toUnixTimestamp(before.1) != 0 AND (SequenceNum, Uptime) != (before.2, before.3)
    )
SELECT
    growth.TimeReceived AS Time,
    growth.seconds AS Seconds,
    replaceRegexpOne(IPv6NumToString(growth.SamplerAddress), '^::ffff:', '') AS Exporter,
    growth.SamplerAddress AS SamplerAddress,
    growth.Interface AS Interface,
    toString(growth.Name) AS Name,
    growth.side.1 AS Direction,
    Bytes * 8 / nullIf(growth.seconds, 0) AS BitsPerSecond,
    Packets / nullIf(growth.seconds, 0) AS PacketsPerSecond,
    if(growth.known, growth.now.1 - growth.then.1, NULL) AS Bytes,
    -- These have 32 bits, which are soon full: subtraction modulo 2^32.
    if(growth.known,
        toUInt64(toUInt32(growth.now.2 - growth.then.2)) + toUInt32(growth.now.3 - growth.then.3) + toUInt32(growth.now.4 - growth.then.4),
        NULL) AS Packets,
    if(growth.known, toUInt64(toUInt32(growth.now.5 - growth.then.5)), NULL) AS Discards,
    if(growth.known, toUInt64(toUInt32(growth.now.6 - growth.then.6)), NULL) AS Errors,
    growth.Speed AS Speed,
    BitsPerSecond / nullIf(growth.Speed, 0) AS Utilization
FROM growth
COMMENT 'interface_counters as traffic: one row for every interval between two counter samples, and direction'
