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
