CREATE TABLE IF NOT EXISTS vlan_names
(
    `SamplerAddress` IPv6 COMMENT 'Exporter, as in flows_raw; :: is any',
    `VLAN` UInt32 COMMENT 'VLAN id',
    `Name` String COMMENT 'Its name'
)
ENGINE = MergeTree
ORDER BY (SamplerAddress, VLAN)
COMMENT 'Names of VLANs. The dictionary VlanNames reads it'
