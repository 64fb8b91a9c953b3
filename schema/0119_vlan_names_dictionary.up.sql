CREATE DICTIONARY IF NOT EXISTS VlanNames
(
    `SamplerAddress` IPv6,
    `VLAN` UInt32,
    `Name` String DEFAULT ''
)
PRIMARY KEY SamplerAddress, VLAN
SOURCE(CLICKHOUSE(TABLE 'vlan_names'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 60 MAX 90)
COMMENT 'vlan_names by exporter and VLAN'
