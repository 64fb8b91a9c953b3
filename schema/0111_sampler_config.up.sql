CREATE TABLE IF NOT EXISTS sampler_config
(
    `SamplerAddress` IPv6 COMMENT 'Exporter, as in flows_raw: IPv4 is stored as ::ffff:a.b.c.d',
    `Name` String COMMENT 'Its name, empty if none is given',
    `Description` String COMMENT 'What it is',
    `Site` LowCardinality(String) COMMENT 'Where it is',
    `Group` LowCardinality(String) COMMENT 'What people group exporters by',
    `Boundary` LowCardinality(String) COMMENT 'external or internal: what is behind its interfaces that have none of their own; empty if it is not given',
    `SamplingRate` UInt32 COMMENT 'Packets per sample that collectors take whatever it says, 0 if none is given',
    `DefaultSamplingRate` UInt32 COMMENT 'Packets per sample where it says nothing, 0 if none is given',
    `AnonymizeAddresses` Bool COMMENT 'Whether addresses are cut off to /24 and /48 before they are stored'
)
ENGINE = MergeTree
ORDER BY SamplerAddress
COMMENT 'What the settings say of exporters. The dictionary SamplerConfig reads it, and flows_raw_view for AnonymizeAddresses'
