CREATE DICTIONARY IF NOT EXISTS OwnAutnums
(
    `ASN` UInt64,
    `Name` String DEFAULT '',
    `Country` String DEFAULT '',
    `Boundary` String DEFAULT ''
)
PRIMARY KEY ASN
SOURCE(CLICKHOUSE(TABLE 'own_asns'))
LAYOUT(HASHED())
LIFETIME(MIN 60 MAX 90)
COMMENT 'own_asns by AS number'
