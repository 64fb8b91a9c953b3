DROP VIEW IF EXISTS pipeline_counters_view SYNC
