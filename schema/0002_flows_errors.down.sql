DROP TABLE flows_errors
