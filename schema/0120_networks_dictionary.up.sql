CREATE DICTIONARY IF NOT EXISTS Networks
(
    `Prefix` String,
    `Name` String DEFAULT '',
    `Role` String DEFAULT '',
    `Site` String DEFAULT '',
    `Tenant` String DEFAULT '',
    `Boundary` String DEFAULT '',
    `Source` String DEFAULT ''
)
PRIMARY KEY Prefix
SOURCE(CLICKHOUSE(TABLE 'networks'))
LAYOUT(IP_TRIE())
LIFETIME(MIN 60 MAX 90)
COMMENT 'networks by the longest prefix of an address'
