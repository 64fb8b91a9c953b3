CREATE TABLE IF NOT EXISTS as_prefixes
(
    `Prefix` IPv6 COMMENT 'First address of the prefix; IPv4 as ::ffff:a.b.c.d',
    `Length` UInt8 COMMENT 'Length of the prefix in bits: for IPv4, 96 more than people write',
    `ASN` UInt32 COMMENT 'AS that originates the prefix',
    `Peers` UInt32 COMMENT 'Peers of the collectors that have a path to it; 1048576 where somebody wrote the line down'
)
ENGINE = MergeTree
ORDER BY (Prefix, Length)
COMMENT 'Which AS originates which prefix: the routing table, each prefix once. netmeta risinfo replaces all of it at once'
