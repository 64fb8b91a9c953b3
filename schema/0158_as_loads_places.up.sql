ALTER TABLE as_loads
    MODIFY COMMENT 'When netmeta risinfo replaced as_prefixes and as_names, when netmeta names replaced places, and when they could not',
    COMMENT COLUMN `Table` 'as_prefixes, as_names or places',
    COMMENT COLUMN `Outcome` 'loaded: the table is as new as its sources; failed: the table of before stays'
