ALTER TABLE flows_errors
    MODIFY COMMENT 'Kafka messages that could not be parsed as FlowMessages; nothing of such a message is in flows_raw'
