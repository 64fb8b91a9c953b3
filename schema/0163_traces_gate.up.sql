-- The only view of traces_queue: without it nothing is consumed, and what reads from
-- traces_received can be changed without losing any.
CREATE MATERIALIZED VIEW IF NOT EXISTS traces_gate TO traces_received AS
SELECT
    *,
    _topic,
    _partition,
    _offset,
    _timestamp,
    _error,
    _raw_message
FROM traces_queue
