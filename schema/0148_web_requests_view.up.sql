CREATE MATERIALIZED VIEW IF NOT EXISTS web_requests_view TO web_requests AS
WITH
    -- As in flows_raw_view, that both have the same rows.
    (address) -> CAST(
        toFixedString(
            multiIf(
                length(address) = 4, concat(unhex('00000000000000000000FFFF'), address),
                length(address) = 16, address,
                repeat('\0', 16)),
            16)
        AS IPv6) AS toAddress,
    if(ifNull(abs(dateDiff('second', queue._timestamp, now())) < 30 * 86400, 0), assumeNotNull(queue._timestamp), now()) AS published,
    transform(queue.TLSVersion, [0, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304], ['', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'], 'other') AS tls
SELECT
    if(queue.TimeReceived BETWEEN 1 AND toUnixTimestamp(now()) + 86400,
        toDateTime(queue.TimeReceived, 'UTC'),
        toDateTime(published, 'UTC')) AS TimeReceived,
    toAddress(queue.SamplerAddress) AS SamplerAddress,
    queue.SrcPort AS ServerPort,
    -- Addresses are cut off as flows_raw_view does it.
    if(SamplerAddress IN (SELECT SamplerAddress FROM sampler_config WHERE AnonymizeAddresses), cutAddress(toAddress(queue.DstAddr), 24, 48), toAddress(queue.DstAddr)) AS ClientAddress,
    queue.HTTPHost AS Host,
    queue.HTTPMethod AS Method,
    queue.HTTPPath AS Path,
    queue.HTTPStatus AS Status,
    queue.Bytes AS Bytes,
    queue.HTTPDuration AS Duration,
    tls AS TLSVersion
FROM flows_received AS queue
-- The flow of a request, which a log may have beside that of its response, has no method.
WHERE length(queue._error) = 0 AND queue.Type = 20 AND length(queue.HTTPMethod) > 0
