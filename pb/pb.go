// Package pb is FlowMessage, InterfaceCounters, PipelineCounter and Trace, the messages that
// NetMeta's collectors, agents and importer write to Kafka, and the text of their definitions.
//
// Custom processors import it, fill FlowMessages and write each preceded by its
// length (google.golang.org/protobuf/encoding/protodelim) to topic
// "flow-messages", or have package publish do so. Package validate says what is wrong
// with a flow. See FlowMessage.proto for fields, units and sources.
package pb

import _ "embed"

//go:generate go run ../internal/protogen . ../doc

// Definition is the text of FlowMessage.proto, comments included. ClickHouse's
// Kafka table gets its schema from it.
//
//go:embed FlowMessage.proto
var Definition string

// CountersDefinition is the text of InterfaceCounters.proto, for the same purpose.
//
//go:embed InterfaceCounters.proto
var CountersDefinition string

// PipelineDefinition is the text of PipelineCounter.proto, for the same purpose.
//
//go:embed PipelineCounter.proto
var PipelineDefinition string

// TraceDefinition is the text of Trace.proto, for the same purpose.
//
//go:embed Trace.proto
var TraceDefinition string
