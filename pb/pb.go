// Package pb is FlowMessage, the message that NetMeta's collectors and agents
// write to Kafka, and the text of its definition.
//
// Custom processors import it, fill FlowMessages and write each preceded by its
// length (google.golang.org/protobuf/encoding/protodelim) to topic
// "flow-messages". See FlowMessage.proto for fields, units and sources.
package pb

import _ "embed"

//go:generate go run ../internal/protogen FlowMessage.proto ../doc/fields.md

// Definition is the text of FlowMessage.proto, comments included. ClickHouse's
// Kafka table gets its schema from it.
//
//go:embed FlowMessage.proto
var Definition string
