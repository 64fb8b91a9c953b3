CREATE MATERIALIZED VIEW IF NOT EXISTS traces_view TO traces AS
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
    -- As flows_raw_view does it, that a hop and a flow of the same address have the same AS.
    (address) -> if(
        bitShiftRight(toUInt128(address), 32) = 0xffff,
        dictGetOrDefault('as_of_ipv4', 'ASN', toUInt64(bitAnd(bitShiftRight(toUInt128(address), 8), 0xffffff)), toUInt32(0)),
        toUInt32(4294967295)) AS originOfNetwork,
    (address, origin) -> if(origin = 4294967295, dictGetOrDefault('as_of_prefix', 'ASN', address, toUInt32(0)), origin) AS originOfAddress,
    if(ifNull(abs(dateDiff('second', queue._timestamp, now())) < 30 * 86400, 0), assumeNotNull(queue._timestamp), now()) AS published,
    toAddress(queue.DstAddr) AS destination,
    arrayMap(address -> toAddress(address), queue.HopAddress) AS addresses,
    length(addresses) AS hops,
    arrayResize(queue.HopRTT, hops) AS times,
    arrayFilter((time, address) -> address = destination, times, addresses) AS destinationTimes,
    CAST(if(queue.Kind BETWEEN 0 AND 2, queue.Kind, 0) AS Enum8('unknown' = 0, 'trace' = 1, 'ping' = 2)) AS kind
SELECT
    -- A time that is missing or lies in the future would escape retention.
    if(queue.Time BETWEEN 1 AND toUnixTimestamp(now()) + 86400,
        toDateTime(queue.Time, 'UTC'),
        toDateTime(published, 'UTC')) AS TimeReceived,
    kind AS Kind,
    queue.Monitor AS Monitor,
    toAddress(queue.SrcAddr) AS SrcAddr,
    destination AS DstAddr,
    originOfAddress(destination, originOfNetwork(destination)) AS DstAS,
    queue.Method AS Method,
    queue.StopReason AS StopReason,
    if(kind = 'ping', queue.Replies > 0, queue.StopReason = 'completed' OR notEmpty(destinationTimes)) AS Reached,
    multiIf(kind = 'ping', queue.RTTAvg, empty(destinationTimes), 0, arrayMin(destinationTimes)) AS RTT,
    queue.List AS List,
    queue.ListID AS ListID,
    queue.CycleID AS CycleID,
    queue.UserID AS UserID,
    queue.Sent AS Sent,
    queue.Replies AS Replies,
    queue.RTTMin AS RTTMin,
    queue.RTTAvg AS RTTAvg,
    queue.RTTMax AS RTTMax,
    arrayResize(queue.HopTTL, hops) AS HopTTL,
    arrayResize(queue.HopAttempt, hops) AS HopAttempt,
    addresses AS HopAddress,
    arrayMap(address -> originOfAddress(address, originOfNetwork(address)), addresses) AS HopAS,
    times AS HopRTT,
    arrayResize(queue.HopReplyTTL, hops) AS HopReplyTTL,
    arrayResize(queue.HopICMPType, hops) AS HopICMPType,
    arrayResize(queue.HopICMPCode, hops) AS HopICMPCode,
    queue.MPLSHop AS MPLSHop,
    arrayResize(queue.MPLSLabel, length(queue.MPLSHop)) AS MPLSLabel
FROM traces_received AS queue
WHERE length(queue._error) = 0
