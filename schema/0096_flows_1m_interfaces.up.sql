-- Stacks by interface, exporter or protocol: a hundredth of the rows.
ALTER TABLE flows_1m ADD PROJECTION IF NOT EXISTS interfaces
(
    SELECT
        TimeReceived, SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto,
        sum(Flows), sum(Bytes), sum(Packets)
    GROUP BY TimeReceived, SamplerAddress, InIf, OutIf, FlowDirection, EType, Proto
)
