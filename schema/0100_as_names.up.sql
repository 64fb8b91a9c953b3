CREATE TABLE IF NOT EXISTS as_names
(
    `ASN` UInt32 COMMENT 'AS number',
    `Name` String COMMENT 'Name of who holds it, empty if unknown',
    `Country` LowCardinality(String) COMMENT 'Country of who holds it (ISO 3166-1, two letters), empty if unknown'
)
ENGINE = MergeTree
ORDER BY ASN
COMMENT 'Who holds which AS number. netmeta risinfo replaces all of it at once'
