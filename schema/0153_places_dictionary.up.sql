-- It is read when the table was exchanged, and not every minute: it may be large.
CREATE DICTIONARY IF NOT EXISTS Places
(
    `Prefix` String,
    `Country` String DEFAULT '',
    `City` String DEFAULT ''
)
PRIMARY KEY Prefix
SOURCE(CLICKHOUSE(TABLE 'places'))
LAYOUT(IP_TRIE())
LIFETIME(0)
COMMENT 'places by the longest prefix of an address'
