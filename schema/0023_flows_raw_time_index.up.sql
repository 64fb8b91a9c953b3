ALTER TABLE flows_raw
    ADD INDEX IF NOT EXISTS time TimeReceived TYPE minmax GRANULARITY 1
