DROP VIEW IF EXISTS counters_errors_view SYNC
