CREATE DICTIONARY IF NOT EXISTS SamplerConfig
(
    `SamplerAddress` IPv6,
    `Name` String DEFAULT '',
    `Description` String DEFAULT '',
    `Site` String DEFAULT '',
    `Group` String DEFAULT '',
    `Boundary` String DEFAULT ''
)
PRIMARY KEY SamplerAddress
SOURCE(CLICKHOUSE(TABLE 'sampler_config'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 60 MAX 90)
COMMENT 'sampler_config by exporter'
