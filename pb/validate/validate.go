// Package validate says what is wrong with FlowMessages: what ClickHouse would refuse,
// what it would store as something else, and what is hardly meant so. Programs that
// publish flows use it in their tests; netmeta validate uses it on files and topics.
package validate

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/pb"
)

// Severity is how bad a problem is.
type Severity string

const (
	// Lost: ClickHouse cannot read the Kafka message, and stores nothing of it but a row
	// in flows_errors.
	Lost Severity = "lost"
	// Wrong: the flow is stored, with something else in this field.
	Wrong Severity = "wrong"
	// Doubtful: the flow is stored as it is, but is hardly meant so, or is harder to find.
	Doubtful Severity = "doubtful"
)

// Problem is one thing that is wrong with a flow or with a Kafka message.
type Problem struct {
	Severity Severity
	Field    string // of FlowMessage.proto; empty where it is none, or several
	Rule     string // what is wrong, without the value: the same for all flows of which it is true
	Value    string // as it was found
	Effect   string // what is stored because of it, and what to do
}

func (p Problem) String() string {
	what := p.Rule
	if p.Field != "" {
		what = p.Field + " " + what
	}
	if p.Value != "" {
		what += " (" + p.Value + ")"
	}
	return fmt.Sprintf("%s: %s: %s", p.Severity, what, p.Effect)
}

// Oldest is the age from which Flow doubts a TimeReceived: flows are kept for so long
// where nobody has said otherwise.
const Oldest = 7 * 24 * time.Hour

// future is how far TimeReceived may lie ahead of ClickHouse's clock.
const future = 24 * time.Hour

// Flow returns what is wrong with a flow that ClickHouse gets at the time now, nil if
// nothing is. What it knows of ClickHouse is what the view flows_raw_view does.
func Flow(m *pb.FlowMessage, now time.Time) []Problem {
	c := check{m: m, now: now}
	c.times()
	c.source()
	c.addresses()
	c.numbers()
	c.contradictions()
	c.unknown()
	return c.problems
}

// check collects the problems of a flow.
type check struct {
	m        *pb.FlowMessage
	now      time.Time
	problems []Problem
}

func (c *check) add(severity Severity, field, rule string, value any, effect string) {
	text := ""
	if value != nil {
		text = fmt.Sprint(value)
	}
	c.problems = append(c.problems, Problem{Severity: severity, Field: field, Rule: rule, Value: text, Effect: effect})
}

func (c *check) times() {
	received, latest := c.m.TimeReceived, uint64(c.now.Add(future).Unix())
	switch {
	case received == 0:
		c.add(Doubtful, "TimeReceived", "is missing", nil, "the time of the Kafka message is stored")
	case received > latest:
		c.add(Wrong, "TimeReceived", "lies in the future", received, "the time of the Kafka message is stored"+perhapsMilliseconds(received, c.now))
	case received < uint64(c.now.Add(-Oldest).Unix()):
		c.add(Doubtful, "TimeReceived", "is more than 7 days old", received, "the flow is dropped at once unless flows are kept for longer (netmeta retention)")
	}
	for _, t := range []struct {
		field string
		value uint64
	}{{"TimeFlowStart", c.m.TimeFlowStart}, {"TimeFlowEnd", c.m.TimeFlowEnd}} {
		if t.value > latest {
			c.add(Doubtful, t.field, "lies in the future", t.value, "it is stored so"+perhapsMilliseconds(t.value, c.now))
		}
	}
	if start, end := c.m.TimeFlowStart, c.m.TimeFlowEnd; end != 0 && start > end {
		c.add(Doubtful, "TimeFlowStart", "is after TimeFlowEnd", fmt.Sprintf("%d and %d", start, end), "durations of flows become negative")
	}
}

// perhapsMilliseconds is what to add to a complaint about a time that would be one of
// these years in a smaller unit.
func perhapsMilliseconds(value uint64, now time.Time) string {
	const years = 20 * 365 * 24 * time.Hour
	for _, unit := range []struct {
		name string
		per  uint64
	}{{"milliseconds", 1e3}, {"microseconds", 1e6}, {"nanoseconds", 1e9}} {
		age := now.Sub(time.Unix(int64(value/unit.per), 0))
		if age > -years && age < years {
			return "; it looks like " + unit.name + ", and must be seconds"
		}
	}
	return ""
}

// source checks what people find the flow by, and what multiplies it.
func (c *check) source() {
	if len(c.m.SamplerAddress) == 0 {
		c.add(Doubtful, "SamplerAddress", "is missing", nil, "the exporter is shown as ::, together with all others without an address")
	}
	if c.m.SamplingRate == 0 {
		c.add(Doubtful, "SamplingRate", "is missing", nil, "it is stored as 1 and marked as unknown, which raises an alert; write 1 where nothing is sampled")
	}
	if _, known := pb.FlowMessage_FlowType_name[int32(c.m.Type)]; !known {
		c.add(Wrong, "Type", "is no type of FlowMessage.proto", int32(c.m.Type), "FLOWUNKNOWN is stored")
	}
	if _, known := pb.FlowMessage_RateSource_name[int32(c.m.SamplingRateSource)]; !known {
		c.add(Wrong, "SamplingRateSource", "is no source of FlowMessage.proto", int32(c.m.SamplingRateSource), "unspecified is stored")
	}
	if _, known := pb.FlowMessage_Tunnel_name[int32(c.m.TunnelType)]; !known {
		c.add(Wrong, "TunnelType", "is no kind of tunnel of FlowMessage.proto", int32(c.m.TunnelType), "other is stored")
	}
}

// unknown reports fields that FlowMessage does not have, or has with another wire type.
func (c *check) unknown() {
	var numbers []protowire.Number
	fields := c.m.ProtoReflect().Descriptor().Fields()
	for b := c.m.ProtoReflect().GetUnknown(); len(b) > 0; {
		number, _, n := protowire.ConsumeField(b)
		if n < 0 {
			break
		}
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
			if field := fields.ByNumber(number); field != nil {
				c.mistyped(field)
				b = b[n:]
				continue
			}
			c.add(Doubtful, "", "has a field that FlowMessage.proto does not know", fmt.Sprintf("number %d", number), "it is not stored")
		}
		b = b[n:]
	}
}

// mistyped reports a field whose bytes are not of its type.
func (c *check) mistyped(field protoreflect.FieldDescriptor) {
	const rule, mend = "was written with another type than in FlowMessage.proto", "generate your code from the definition"
	if field.Kind() == protoreflect.BytesKind || field.Kind() == protoreflect.StringKind {
		c.add(Lost, string(field.Name()), rule, nil, "nothing of the Kafka message is stored; "+mend)
		return
	}
	c.add(Wrong, string(field.Name()), rule, nil, "some other number is stored; "+mend)
}
