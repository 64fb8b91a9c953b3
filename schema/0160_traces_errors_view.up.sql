CREATE MATERIALIZED VIEW IF NOT EXISTS traces_errors_view TO flows_errors AS
SELECT
    -- The producer's clock, unless it is so wrong that the row would be gone at once.
    if(ifNull(abs(dateDiff('second', _timestamp, now())) < 30 * 86400, 0), assumeNotNull(_timestamp), now()) AS TimeReceived,
    _topic AS Topic,
    _partition AS Partition,
    _offset AS Offset,
    _error AS Reason,
    length(_raw_message) AS Length,
    -- A Kafka with default settings takes no message that is longer; a thousand that are
    -- must not fill the disk.
    substring(_raw_message, 1, 1048576) AS Message
FROM traces_received
WHERE length(_error) > 0
