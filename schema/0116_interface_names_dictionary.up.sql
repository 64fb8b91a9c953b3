-- Dictionaries read tables beside them, never the network: nothing that may be away holds up a query.
CREATE DICTIONARY IF NOT EXISTS InterfaceNames
(
    `SamplerAddress` IPv6,
    `Interface` UInt32,
    `Name` String DEFAULT '',
    `Device` String DEFAULT '',
    `Description` String DEFAULT '',
    `Speed` UInt64 DEFAULT 0,
    `Group` String DEFAULT '',
    `Boundary` String DEFAULT '',
    `Source` String DEFAULT ''
)
PRIMARY KEY SamplerAddress, Interface
SOURCE(CLICKHOUSE(TABLE 'interface_names'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 60 MAX 90)
COMMENT 'interface_names by exporter and ifIndex'
