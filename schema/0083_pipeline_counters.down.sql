DROP TABLE IF EXISTS pipeline_counters
