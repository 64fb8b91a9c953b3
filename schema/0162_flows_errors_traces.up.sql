ALTER TABLE flows_errors
    MODIFY COMMENT 'Kafka messages that could not be parsed, as FlowMessages, InterfaceCounters, PipelineCounters or Traces by their topic; nothing of such a message is stored elsewhere'
