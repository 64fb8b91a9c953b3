CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_counters_view TO pipeline_counters AS
WITH
    -- When Kafka got the message, as far as the producer's clock can be believed.
    if(ifNull(abs(dateDiff('second', queue._timestamp, now())) < 30 * 86400, 0), assumeNotNull(queue._timestamp), now()) AS published
SELECT
    -- A time that is missing or lies in the future would escape retention.
    if(queue.Time BETWEEN 1 AND toUnixTimestamp(now()) + 86400,
        toDateTime(queue.Time, 'UTC'),
        toDateTime(published, 'UTC')) AS Time,
    queue.Instance AS Instance,
    toDateTime(least(queue.Started, 4294967295), 'UTC') AS Started,
    queue.Metric AS Metric,
    queue.Labels AS Labels,
    queue.Value AS Value,
    queue.Increase AS Increase
FROM pipeline_received AS queue
WHERE length(queue._error) = 0
