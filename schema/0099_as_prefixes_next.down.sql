DROP TABLE IF EXISTS as_prefixes_next SYNC
