package flow

// Topic is the Kafka topic of FlowMessages.
const Topic = "flow-messages"
