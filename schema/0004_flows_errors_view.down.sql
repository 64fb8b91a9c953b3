DROP VIEW IF EXISTS flows_errors_view
