DROP VIEW IF EXISTS flows_raw_view
