package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"encoding/json"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

// messageTypes are those of topics.
var messageTypes = map[string]func() proto.Message{
	flow.Topic:       func() proto.Message { return &pb.FlowMessage{} },
	flow.TracesTopic: func() proto.Message { return &pb.Trace{} },
}

// dryRun is the Sink that shows what would be sent.
type dryRun struct{ w io.Writer }

// DryRun returns the Sink that writes to w, as JSON, a line each, what would be sent,
// with addresses as text. It knows nothing of earlier runs, and remembers nothing.
func DryRun(w io.Writer) Sink { return dryRun{w} }

func (dryRun) Resume(context.Context) ([]Note, error) { return nil, nil }
func (dryRun) Compact(Note) error                     { return nil }
func (dryRun) Close() error                           { return nil }

func (d dryRun) Send(_ context.Context, _ Note, contents []queue.Content) error {
	for _, c := range contents {
		for _, m := range c.Messages {
			if err := d.write(c.Topic, m); err != nil {
				return fmt.Errorf("write what would be sent: %w", err)
			}
		}
	}
	return nil
}

func (d dryRun) write(topic string, data []byte) error {
	for in := bytes.NewReader(data); ; {
		m := messageTypes[topic]()
		err := protodelim.UnmarshalFrom(in, m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, err := readable(m)
		if err != nil {
			return err
		}
		if _, err := d.w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

// readable returns m as JSON with addresses as people write them.
func readable(m proto.Message) ([]byte, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.BytesKind:
		case field.IsList():
			var texts []string
			for i := range value.List().Len() {
				texts = append(texts, addressText(value.List().Get(i).Bytes()))
			}
			fields[string(field.Name())] = texts
		default:
			if text := addressText(value.Bytes()); text != "" {
				fields[string(field.Name())] = text
			}
		}
		return true
	})
	return json.Marshal(fields)
}

// addressText returns an address as people write it, "" for bytes that are none.
func addressText(b []byte) string {
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return ""
	}
	return a.String()
}
