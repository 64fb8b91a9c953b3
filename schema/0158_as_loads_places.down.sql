ALTER TABLE as_loads
    MODIFY COMMENT 'When netmeta risinfo replaced as_prefixes and as_names, and when it could not',
    COMMENT COLUMN `Table` 'as_prefixes or as_names',
    COMMENT COLUMN `Outcome` 'loaded: the table was replaced; failed: the table of before stays'
