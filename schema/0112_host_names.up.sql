CREATE TABLE IF NOT EXISTS host_names
(
    `Address` IPv6 COMMENT 'As in flows_raw: IPv4 is stored as ::ffff:a.b.c.d',
    `Name` String COMMENT 'Its name',
    `Source` LowCardinality(String) COMMENT 'Where it comes from: settings or dns',
    `Updated` DateTime('UTC') COMMENT 'When it was learned'
)
ENGINE = MergeTree
ORDER BY Address
COMMENT 'Names of hosts. The dictionary HostNames reads it'
