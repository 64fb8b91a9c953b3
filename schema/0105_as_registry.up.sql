-- Without a source until netmeta risinfo has a table for it: a dictionary that cannot be loaded
-- would stop the view that stores flows, and one without a source can always be loaded.
CREATE DICTIONARY IF NOT EXISTS as_registry
(
    `ASN` UInt64,
    `Name` String,
    `Country` String
)
PRIMARY KEY ASN
SOURCE(NULL())
LAYOUT(HASHED)
LIFETIME(0)
COMMENT 'as_names, to look names up'
