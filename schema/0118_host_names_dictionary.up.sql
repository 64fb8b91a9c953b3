CREATE DICTIONARY IF NOT EXISTS HostNames
(
    `Address` IPv6,
    `Name` String DEFAULT '',
    `Source` String DEFAULT ''
)
PRIMARY KEY Address
SOURCE(CLICKHOUSE(TABLE 'host_names'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 60 MAX 90)
COMMENT 'host_names by address'
