-- Addresses of exporters that ask for it are cut off behind everything that has to know them
-- in full, such as the resolution of AS numbers in the query within. The
-- table is read with each block, and not by a dictionary, so that there is none to be missing;
-- what a scalar subquery finds would hold as long as the Kafka table is there.
ALTER TABLE flows_raw_view MODIFY QUERY
SELECT
    * EXCEPT (cut)
    REPLACE
    (
        if(cut, cutAddress(SrcAddr, 24, 48), SrcAddr) AS SrcAddr,
        if(cut, cutAddress(DstAddr, 24, 48), DstAddr) AS DstAddr,
        if(cut, cutAddress(InnerSrcAddr, 24, 48), InnerSrcAddr) AS InnerSrcAddr,
        if(cut, cutAddress(InnerDstAddr, 24, 48), InnerDstAddr) AS InnerDstAddr,
        if(cut, cutAddress(PostNATSrcAddr, 24, 48), PostNATSrcAddr) AS PostNATSrcAddr,
        if(cut, cutAddress(PostNATDstAddr, 24, 48), PostNATDstAddr) AS PostNATDstAddr
    )
FROM
(
    SELECT *, SamplerAddress IN (SELECT SamplerAddress FROM sampler_config WHERE AnonymizeAddresses) AS cut
    FROM
    (
        WITH
            -- The length tells IPv4 from IPv6. Whatever a producer sends has to become a row:
            -- an exception here would stop the consumer at this message for ever.
            -- Most addresses of tunnels and translators are empty, and then there is little to do.
            (address) -> if(
                empty(address),
                toIPv6('::'),
                CAST(
                    toFixedString(
                        multiIf(
                            length(address) = 4, concat(unhex('00000000000000000000FFFF'), address),
                            length(address) = 16, address,
                            repeat('\0', 16)),
                        16)
                    AS IPv6)) AS toAddress,
            -- When Kafka got the message, as far as the producer's clock can be believed.
            if(ifNull(abs(dateDiff('second', queue._timestamp, now())) < 30 * 86400, 0), assumeNotNull(queue._timestamp), now()) AS published,
            -- Of a stack whose bottom was cut off, the count is 0, but its first labels are there.
            greatest(queue.MPLSCount, toUInt32(multiIf(queue.MPLS3Label != 0, 3, queue.MPLS2Label != 0, 2, queue.HasMPLS, 1, 0))) AS labels,
            -- Most of IPv4 is found by its /24: that is what keeps this cheap. 4294967295, which is no
            -- AS, sends the rest to the prefixes themselves.
            (address) -> if(
                bitShiftRight(toUInt128(address), 32) = 0xffff,
                dictGetOrDefault('as_of_ipv4', 'ASN', toUInt64(bitAnd(bitShiftRight(toUInt128(address), 8), 0xffffff)), toUInt32(0)),
                toUInt32(4294967295)) AS originOfNetwork,
            (address, origin) -> if(origin = 4294967295, dictGetOrDefault('as_of_prefix', 'ASN', address, toUInt32(0)), origin) AS originOfAddress,
            -- 23456 is what exporters with 16 bits for an AS number send for larger ones (RFC 6793).
            (asn, address) -> if(asn IN (0, 23456), originOfAddress(address, originOfNetwork(address)), toUInt32(0)) AS resolveAS,
            resolveAS(queue.SrcAS, toAddress(queue.SrcAddr)) AS sourceOrigin,
            resolveAS(queue.DstAS, toAddress(queue.DstAddr)) AS destinationOrigin
        SELECT
            -- Kinds that producers may name in the future are unknown ones.
            CAST(if(queue.Type IN (1, 2, 3, 4, 10, 11, 12, 20, 21, 22, 23, 24), queue.Type, 0) AS Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4, 'NFLOG' = 10, 'CONNTRACK' = 11, 'MIRROR' = 12, 'WEB_LOG' = 20, 'AWS_VPC' = 21, 'GCP_VPC' = 22, 'PCAP' = 23, 'NFCAPD' = 24)) AS FlowType,
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
            if(sourceOrigin != 0, sourceOrigin, queue.SrcAS) AS SrcAS,
            if(destinationOrigin != 0, destinationOrigin, queue.DstAS) AS DstAS,
            sourceOrigin != 0 AS SrcASResolved,
            destinationOrigin != 0 AS DstASResolved,
            toAddress(queue.NextHop) AS NextHop,
            queue.NextHopAS AS NextHopAS,
            queue.SrcNet AS SrcNet,
            queue.DstNet AS DstNet,
            queue.ObservationDomain AS ObservationDomain,
            queue.HasFlowDirection AS HasFlowDirection,
            queue.FlowEndReason AS FlowEndReason,
            -- Kinds of tunnels that producers may name in the future are other ones.
            CAST(multiIf(queue.TunnelType BETWEEN 1 AND 7, queue.TunnelType, queue.TunnelType != 0 OR queue.HasEncap, 1, 0) AS Enum8('none' = 0, 'other' = 1, 'gre' = 2, 'ipip' = 3, 'vxlan' = 4, 'geneve' = 5, 'teredo' = 6, 'nvgre' = 7)) AS TunnelType,
            queue.VNI AS VNI,
            toAddress(queue.SrcAddrEncap) AS InnerSrcAddr,
            toAddress(queue.DstAddrEncap) AS InnerDstAddr,
            queue.EtypeEncap AS InnerEType,
            queue.ProtoEncap AS InnerProto,
            queue.SrcPortEncap AS InnerSrcPort,
            queue.DstPortEncap AS InnerDstPort,
            queue.TCPFlagsEncap AS InnerTCPFlags,
            queue.IPTosEncap AS InnerIPTos,
            queue.IPTTLEncap AS InnerIPTTL,
            least(labels, 255) AS MPLSCount,
            arrayResize([queue.MPLS1Label, queue.MPLS2Label, queue.MPLS3Label, queue.MPLSLastLabel], least(labels, 4)) AS MPLSLabels,
            toAddress(queue.PostNATSrcAddr) AS PostNATSrcAddr,
            toAddress(queue.PostNATDstAddr) AS PostNATDstAddr,
            queue.PostNATSrcPort AS PostNATSrcPort,
            queue.PostNATDstPort AS PostNATDstPort,
            queue.NATEvent AS NATEvent,
            queue.FirewallEvent AS FirewallEvent,
            toAddress(queue.BGPNextHop) AS BGPNextHop,
            queue.ASPath AS ASPath,
            queue.Communities AS Communities,
            queue.ApplicationID AS ApplicationID,
            queue.ApplicationName AS ApplicationName
        FROM flows_received AS queue
        WHERE length(queue._error) = 0
    )
)
