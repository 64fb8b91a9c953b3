DROP VIEW IF EXISTS flows_minutes
