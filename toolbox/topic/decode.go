package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/leoluk/NetMeta/pb"
)

// decode returns the messages in one of Kafka, each preceded by its length, as JSON. The
// topic decides what they are.
func decode(topic string, value []byte) (lines [][]byte, err error) {
	r := bytes.NewReader(value)
	for {
		m := messageOf(topic)
		err := protodelim.UnmarshalFrom(r, m)
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("message %d in it: %w", len(lines)+1, err)
		}
		line, err := json.Marshal(fields(m.ProtoReflect()))
		if err != nil {
			return lines, err
		}
		lines = append(lines, line)
	}
}

func messageOf(topic string) proto.Message {
	switch topic {
	case "interface-counters":
		return &pb.InterfaceCounters{}
	case "pipeline-counters":
		return &pb.PipelineCounter{}
	case "traces":
		return &pb.Trace{}
	}
	return &pb.FlowMessage{}
}

// fields are those that are set, with addresses as people write them.
func fields(m protoreflect.Message) map[string]any {
	set := map[string]any{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		set[string(f.Name())] = value(f, v)
		return true
	})
	return set
}

func value(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch {
	case f.IsMap():
		m := map[string]any{}
		v.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			m[key.String()] = scalar(f.MapValue(), v)
			return true
		})
		return m
	case f.IsList():
		list := []any{}
		for i := range v.List().Len() {
			list = append(list, scalar(f, v.List().Get(i)))
		}
		return list
	}
	return scalar(f, v)
}

func scalar(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return fields(v.Message())
	case protoreflect.EnumKind:
		if known := f.Enum().Values().ByNumber(v.Enum()); known != nil {
			return string(known.Name())
		}
		return int32(v.Enum())
	case protoreflect.BytesKind:
		if address, ok := netip.AddrFromSlice(v.Bytes()); ok {
			return address.String()
		}
		return v.Bytes()
	}
	return v.Interface()
}
