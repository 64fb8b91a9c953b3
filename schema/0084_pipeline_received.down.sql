DROP TABLE IF EXISTS pipeline_received SYNC
