CREATE MATERIALIZED VIEW IF NOT EXISTS interface_counters_view TO interface_counters AS
WITH
    -- The length tells IPv4 from IPv6. Whatever a producer sends has to become a row:
    -- an exception here would stop the consumer at this message for ever.
    (address) -> CAST(
        toFixedString(
            multiIf(
                length(address) = 4, concat(unhex('00000000000000000000FFFF'), address),
                length(address) = 16, address,
                repeat('\0', 16)),
            16)
        AS IPv6) AS toAddress,
    -- When Kafka got the message, as far as the producer's clock can be believed.
    if(ifNull(abs(dateDiff('second', queue._timestamp, now())) < 30 * 86400, 0), assumeNotNull(queue._timestamp), now()) AS published
SELECT
    -- A time that is missing or lies in the future would escape retention.
    if(queue.TimeReceived BETWEEN 1 AND toUnixTimestamp(now()) + 86400,
        toDateTime(queue.TimeReceived, 'UTC'),
        toDateTime(published, 'UTC')) AS TimeReceived,
    toAddress(queue.SamplerAddress) AS SamplerAddress,
    queue.ObservationDomain AS ObservationDomain,
    queue.SequenceNum AS SequenceNum,
    queue.Uptime AS Uptime,
    queue.Interface AS Interface,
    queue.Name AS Name,
    queue.Type AS Type,
    queue.Speed AS Speed,
    queue.Duplex AS Duplex,
    queue.Status AS Status,
    queue.InOctets AS InOctets,
    queue.InUnicastPackets AS InUnicastPackets,
    queue.InMulticastPackets AS InMulticastPackets,
    queue.InBroadcastPackets AS InBroadcastPackets,
    queue.InDiscards AS InDiscards,
    queue.InErrors AS InErrors,
    queue.InUnknownProtocols AS InUnknownProtocols,
    queue.OutOctets AS OutOctets,
    queue.OutUnicastPackets AS OutUnicastPackets,
    queue.OutMulticastPackets AS OutMulticastPackets,
    queue.OutBroadcastPackets AS OutBroadcastPackets,
    queue.OutDiscards AS OutDiscards,
    queue.OutErrors AS OutErrors,
    queue.PromiscuousMode AS PromiscuousMode
FROM counters_received AS queue
WHERE length(queue._error) = 0
