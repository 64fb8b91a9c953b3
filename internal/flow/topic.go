package flow

// Kafka topics that NetMeta writes to.
const (
	Topic         = "flow-messages"      // FlowMessages
	CountersTopic = "interface-counters" // InterfaceCounters
	PipelineTopic = "pipeline-counters"  // PipelineCounters
	TracesTopic   = "traces"             // Traces
)
