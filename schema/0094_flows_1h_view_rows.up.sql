-- A block seldom has more than one minute of anything: to look for equal rows in it finds none.
-- The table adds up what is equal when it merges.
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
    flows_1m.Flows AS Flows,
    flows_1m.Bytes AS Bytes,
    flows_1m.Packets AS Packets
FROM flows_1m
