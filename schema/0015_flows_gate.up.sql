-- The only view of flows_queue: without it nothing is consumed, and what reads from
-- flows_received can be changed without losing any.
CREATE MATERIALIZED VIEW IF NOT EXISTS flows_gate TO flows_received AS
SELECT
    *,
    _topic,
    _partition,
    _offset,
    _timestamp,
    _error,
    _raw_message
FROM flows_queue
