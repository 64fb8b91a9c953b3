-- Without a source until netmeta risinfo has a table for it: a dictionary that cannot be loaded
-- would stop the view that stores flows, and one without a source can always be loaded.
CREATE DICTIONARY IF NOT EXISTS as_of_ipv4
(
    `Network` UInt64,
    `ASN` UInt32
)
PRIMARY KEY Network
SOURCE(NULL())
LAYOUT(FLAT(INITIAL_ARRAY_SIZE 1024 MAX_ARRAY_SIZE 16777216))
LIFETIME(0)
COMMENT 'AS of each /24 of IPv4, by the upper 24 bits of its addresses; 4294967295 where it has longer prefixes: as_of_prefix has them'
