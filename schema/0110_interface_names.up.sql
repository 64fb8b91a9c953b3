CREATE TABLE IF NOT EXISTS interface_names
(
    `SamplerAddress` IPv6 COMMENT 'Exporter, as in flows_raw: IPv4 is stored as ::ffff:a.b.c.d',
    `Interface` UInt32 COMMENT 'ifIndex, as InIf and OutIf of flows_raw',
    `Name` String COMMENT 'What people read instead of the number',
    `Device` String COMMENT 'Name that the device has for it, ifName; empty if it is not known',
    `Description` String COMMENT 'Description in the device, ifAlias, or in the settings; empty if there is none',
    `Speed` UInt64 COMMENT 'Bits per second, 0 if it is not known',
    `Group` LowCardinality(String) COMMENT 'Such as transit, peering or customer, empty if none is given',
    `Boundary` LowCardinality(String) COMMENT 'external or internal: what is behind it; empty if none is given',
    `Source` LowCardinality(String) COMMENT 'Where Name comes from: settings, snmp, options or sflow',
    `Updated` DateTime('UTC') COMMENT 'When it was learned'
)
ENGINE = MergeTree
ORDER BY (SamplerAddress, Interface)
COMMENT 'Names of interfaces. netmeta names or netmeta-standalone exchanges it as a whole; the dictionary InterfaceNames reads it'
