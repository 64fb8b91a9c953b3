-- Without a source until netmeta risinfo has a table for it: a dictionary that cannot be loaded
-- would stop the view that stores flows, and one without a source can always be loaded.
CREATE DICTIONARY IF NOT EXISTS as_of_prefix
(
    `Prefix` String,
    `ASN` UInt32
)
PRIMARY KEY Prefix
SOURCE(NULL())
LAYOUT(IP_TRIE)
LIFETIME(0)
COMMENT 'AS of each IPv6 prefix, and of the IPv4 prefixes that as_of_ipv4 cannot tell'
