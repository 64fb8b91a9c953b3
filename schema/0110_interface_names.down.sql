DROP TABLE IF EXISTS interface_names
