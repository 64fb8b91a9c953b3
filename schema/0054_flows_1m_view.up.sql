CREATE MATERIALIZED VIEW IF NOT EXISTS flows_1m_view TO flows_1m AS
SELECT
    toStartOfMinute(flows_raw.TimeReceived) AS TimeReceived,
    flows_raw.SamplerAddress AS SamplerAddress,
    flows_raw.InIf AS InIf,
    flows_raw.OutIf AS OutIf,
    flows_raw.FlowDirection AS FlowDirection,
    flows_raw.EType AS EType,
    flows_raw.Proto AS Proto,
    servicePort(flows_raw.Proto, flows_raw.SrcPort, flows_raw.DstPort) AS ServicePort,
    flows_raw.SrcAS AS SrcAS,
    flows_raw.DstAS AS DstAS,
    count() AS Flows,
    sum(flows_raw.Bytes * flows_raw.SamplingRate) AS Bytes,
    sum(flows_raw.Packets * flows_raw.SamplingRate) AS Packets
FROM flows_raw
GROUP BY ALL
