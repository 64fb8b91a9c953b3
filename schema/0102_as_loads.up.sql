CREATE TABLE IF NOT EXISTS as_loads
(
    `Time` DateTime64(3, 'UTC') COMMENT 'When it was tried',
    `Table` LowCardinality(String) COMMENT 'as_prefixes, as_names or places',
    `Outcome` Enum8('loaded' = 1, 'failed' = 2) COMMENT 'loaded: the table is as new as its sources; failed: the table of before stays',
    `Rows` UInt64 COMMENT 'Rows of the new table',
    `Built` DateTime('UTC') COMMENT 'When its sources were read',
    `Message` String COMMENT 'Why it failed, or what it was made of'
)
ENGINE = MergeTree
ORDER BY (Table, Time)
TTL toDateTime(Time) + toIntervalDay(90)
COMMENT 'When netmeta risinfo replaced as_prefixes and as_names, when netmeta names replaced places, and when they could not'
