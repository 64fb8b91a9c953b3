DROP VIEW IF EXISTS traces_errors_view SYNC
