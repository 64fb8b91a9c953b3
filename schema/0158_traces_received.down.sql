DROP TABLE IF EXISTS traces_received SYNC
