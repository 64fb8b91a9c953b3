-- The only view of pipeline_queue: without it nothing is consumed, and what reads from
-- pipeline_received can be changed without losing any.
CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_gate TO pipeline_received AS
SELECT
    *,
    _topic,
    _partition,
    _offset,
    _timestamp,
    _error,
    _raw_message
FROM pipeline_queue
