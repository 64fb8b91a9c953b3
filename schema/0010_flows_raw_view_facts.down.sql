ALTER TABLE flows_raw_view MODIFY QUERY
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
    CAST(if(queue.Type BETWEEN 0 AND 4, queue.Type, 0) AS Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4)) AS FlowType,
    queue.SequenceNum AS SequenceNum,
    -- A time that is missing or lies in the future would escape every dashboard, and
    -- retention: the time of the Kafka message is used instead.
    if(queue.TimeReceived BETWEEN 1 AND toUnixTimestamp(now()) + 86400,
        toDateTime(queue.TimeReceived, 'UTC'),
        toDateTime(published, 'UTC')) AS TimeReceived,
    greatest(queue.SamplingRate, 1) AS SamplingRate,
    CAST(multiIf(queue.SamplingRate = 0, 4, queue.SamplingRateSource BETWEEN 0 AND 4, queue.SamplingRateSource, 0) AS Enum8('unspecified' = 0, 'packet' = 1, 'options' = 2, 'configured' = 3, 'unknown' = 4)) AS SamplingRateSource,
    queue.FlowDirection AS FlowDirection,
    toAddress(queue.SamplerAddress) AS SamplerAddress,
    queue.TimeFlowStart AS TimeFlowStart,
    queue.TimeFlowEnd AS TimeFlowEnd,
    queue.Bytes AS Bytes,
    queue.Packets AS Packets,
    toAddress(queue.SrcAddr) AS SrcAddr,
    toAddress(queue.DstAddr) AS DstAddr,
    queue.Etype AS EType,
    queue.Proto AS Proto,
    queue.SrcPort AS SrcPort,
    queue.DstPort AS DstPort,
    queue.InIf AS InIf,
    queue.OutIf AS OutIf,
    queue.SrcMac AS SrcMac,
    queue.DstMac AS DstMac,
    queue.SrcVlan AS SrcVlan,
    queue.DstVlan AS DstVlan,
    queue.VlanId AS VlanId,
    queue.IngressVrfID AS IngressVrfId,
    queue.EgressVrfID AS EgressVrfId,
    queue.IPTos AS IPTos,
    queue.ForwardingStatus AS ForwardingStatus,
    queue.IPTTL AS IPTTL,
    queue.TCPFlags AS TCPFlags,
    queue.IcmpType AS IcmpType,
    queue.IcmpCode AS IcmpCode,
    queue.IPv6FlowLabel AS IPv6FlowLabel,
    queue.FragmentId AS FragmentId,
    queue.FragmentOffset AS FragmentOffset,
    queue.BiFlowDirection AS BiFlowDirection,
    queue.SrcAS AS SrcAS,
    queue.DstAS AS DstAS,
    toAddress(queue.NextHop) AS NextHop,
    queue.NextHopAS AS NextHopAS,
    queue.SrcNet AS SrcNet,
    queue.DstNet AS DstNet
FROM flows_queue AS queue
WHERE length(queue._error) = 0
