DROP VIEW flows_errors_view
