DROP VIEW IF EXISTS interface_traffic
