CREATE TABLE IF NOT EXISTS places
(
    `Prefix` String COMMENT 'Network in CIDR notation' CODEC(ZSTD(1)),
    `Country` LowCardinality(String) COMMENT 'Country of the network (ISO 3166-1, two letters)',
    `City` String COMMENT 'City of the network, in English; empty if the database does not say' CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY Prefix
COMMENT 'Where networks are, by a GeoIP database of the operator. netmeta names or netmeta-standalone exchanges it as a whole; the dictionary Places reads it'
