CREATE MATERIALIZED VIEW flows_errors_view TO flows_errors AS
SELECT
    ifNull(_timestamp, now()) AS TimeReceived,
    _topic AS Topic,
    _partition AS Partition,
    _offset AS Offset,
    _error AS Reason,
    _raw_message AS Message
FROM flows_queue
WHERE length(_error) > 0
