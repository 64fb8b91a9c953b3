DROP TABLE IF EXISTS interface_counters
