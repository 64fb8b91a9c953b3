ALTER TABLE flows_errors
    MODIFY COMMENT 'Kafka messages that could not be parsed, as FlowMessages or as InterfaceCounters by their topic; nothing of such a message is in flows_raw or interface_counters'
