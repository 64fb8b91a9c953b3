CREATE TABLE IF NOT EXISTS as_names_next
(
    `ASN` UInt32 COMMENT 'AS number',
    `Name` String COMMENT 'Name of who holds it, empty if unknown',
    `Country` LowCardinality(String) COMMENT 'Country of who holds it (ISO 3166-1, two letters), empty if unknown'
)
ENGINE = MergeTree
ORDER BY ASN
COMMENT 'The next as_names, while it is being written; empty otherwise'
