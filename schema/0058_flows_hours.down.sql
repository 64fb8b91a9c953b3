DROP VIEW IF EXISTS flows_hours
