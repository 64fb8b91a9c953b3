CREATE TABLE IF NOT EXISTS own_asns
(
    `ASN` UInt32 COMMENT 'AS number',
    `Name` String COMMENT 'Its name',
    `Country` LowCardinality(String) COMMENT 'Country (ISO 3166-1), empty if none is given',
    `Boundary` LowCardinality(String) COMMENT 'internal: its addresses are own, external: they are of others; empty if it is not given'
)
ENGINE = MergeTree
ORDER BY ASN
COMMENT 'Names of autonomous systems from the settings, which go before all others'
