package flow

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
)

// maxLabels of a PipelineCounter fit into MaxEncodedSize with names and values of
// MaxName bytes each.
const maxLabels = 8

// PipelineCounter is one counter of a program of NetMeta as a [Message]. There are some
// hundreds of them every 10 s, so they are encoded by the library.
type PipelineCounter struct{ message *pb.PipelineCounter }

// NewPipelineCounter takes over a message, whose strings it cuts off after MaxName bytes.
func NewPipelineCounter(message *pb.PipelineCounter) *PipelineCounter {
	labels := make(map[string]string, len(message.Labels))
	for name, value := range message.Labels {
		if len(labels) < maxLabels {
			labels[cut(name)] = cut(value)
		}
	}
	message.Instance, message.Metric, message.Labels = cut(message.Instance), cut(message.Metric), labels
	return &PipelineCounter{message}
}

func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), MaxName)], "")
}

// AppendDelimited implements [Message].
func (c *PipelineCounter) AppendDelimited(b []byte) []byte {
	b = protowire.AppendVarint(b, uint64(proto.Size(c.message)))
	// The only error there is are strings that are not UTF-8, and cut sees to that.
	b, _ = proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, c.message)
	return b
}
