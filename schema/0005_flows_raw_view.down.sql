DROP VIEW flows_raw_view
