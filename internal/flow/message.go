package flow

// Message is what a queue carries: *Record, *Counters, *PipelineCounter and *Trace.
// AppendDelimited appends the message preceded by its length as a varint, which is the
// framing of ClickHouse's input format Protobuf, and returns the extended slice. It adds at
// most MaxEncodedSize bytes, a *Trace MaxTraceSize, and allocates only where b has to grow.
type Message interface {
	AppendDelimited(b []byte) []byte
}
