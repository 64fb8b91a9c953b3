DROP VIEW IF EXISTS pipeline_errors_view SYNC
