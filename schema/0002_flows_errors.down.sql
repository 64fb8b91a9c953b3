DROP TABLE IF EXISTS flows_errors
