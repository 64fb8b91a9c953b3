DROP TABLE flows_raw
