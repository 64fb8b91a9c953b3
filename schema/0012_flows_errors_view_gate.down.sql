ALTER TABLE flows_errors_view MODIFY QUERY
SELECT
    -- The producer's clock, unless it is so wrong that the row would be gone at once.
    if(ifNull(abs(dateDiff('second', _timestamp, now())) < 30 * 86400, 0), assumeNotNull(_timestamp), now()) AS TimeReceived,
    _topic AS Topic,
    _partition AS Partition,
    _offset AS Offset,
    _error AS Reason,
    _raw_message AS Message
FROM flows_queue
WHERE length(_error) > 0
