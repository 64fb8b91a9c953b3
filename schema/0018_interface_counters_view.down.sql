DROP VIEW IF EXISTS interface_counters_view SYNC
