DROP TABLE flows_queue
