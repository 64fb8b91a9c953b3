-- The only view of counters_queue: without it nothing is consumed, and what reads from
-- counters_received can be changed without losing any.
CREATE MATERIALIZED VIEW IF NOT EXISTS counters_gate TO counters_received AS
SELECT
    *,
    _topic,
    _partition,
    _offset,
    _timestamp,
    _error,
    _raw_message
FROM counters_queue
