-- From here to migration 13 nothing is consumed: the views cannot be changed one after
-- the other while flows pass through them. Offsets stay in Kafka.
DROP TABLE IF EXISTS flows_queue SYNC
