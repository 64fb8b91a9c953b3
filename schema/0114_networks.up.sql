CREATE TABLE IF NOT EXISTS networks
(
    `Prefix` String COMMENT 'Network in CIDR notation; the longest that an address is in counts',
    `Name` String COMMENT 'Its name',
    `Role` LowCardinality(String) COMMENT 'What it is for',
    `Site` LowCardinality(String) COMMENT 'Where it is',
    `Tenant` LowCardinality(String) COMMENT 'Whose it is',
    `Boundary` LowCardinality(String) COMMENT 'internal: own, external: of others; empty if none is given',
    `Source` LowCardinality(String) COMMENT 'Where it comes from: settings, or the file or URL that lists it'
)
ENGINE = MergeTree
ORDER BY Prefix
COMMENT 'Networks that people know. The dictionary Networks reads it'
