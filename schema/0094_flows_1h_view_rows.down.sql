ALTER TABLE flows_1h_view MODIFY QUERY
SELECT
    toStartOfHour(flows_1m.TimeReceived) AS TimeReceived,
    flows_1m.SamplerAddress AS SamplerAddress,
    flows_1m.InIf AS InIf,
    flows_1m.OutIf AS OutIf,
    flows_1m.FlowDirection AS FlowDirection,
    flows_1m.EType AS EType,
    flows_1m.Proto AS Proto,
    flows_1m.ServicePort AS ServicePort,
    flows_1m.SrcAS AS SrcAS,
    flows_1m.DstAS AS DstAS,
    sum(flows_1m.Flows) AS Flows,
    sum(flows_1m.Bytes) AS Bytes,
    sum(flows_1m.Packets) AS Packets
FROM flows_1m
GROUP BY ALL
