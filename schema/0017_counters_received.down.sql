DROP TABLE IF EXISTS counters_received SYNC
