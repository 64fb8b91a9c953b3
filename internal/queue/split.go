package queue

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/leoluk/NetMeta/internal/spool"
)

// split puts two halves of the batch in its place, and has later batches stay below
// the size that was refused.
func (t *partition) split(cause error) {
	messages, err := decode(t.data)
	if err != nil {
		t.drop(dropRefused, errors.Join(cause, err))
		return
	}
	t.p.shrink(messages, cause)
	first, second := halve(messages)
	if len(second) == 0 {
		t.drop(dropTooLarge, cause)
		return
	}
	var parts []spool.Part
	encoder := newEncoder(t.p.compression)
	for _, half := range [][]*message{first, second} {
		data, err := encoder.encode(half, time.Now())
		if err != nil {
			t.drop(dropEncode, err)
			return
		}
		parts = append(parts, spool.Part{Data: data, Flows: flowsIn(half)})
	}
	t.p.spool.Replace(t.batch, parts...)
	t.batch, t.data = nil, nil
}

// shrink has batches be half of what was refused, at most.
func (p *Producer) shrink(refused []*message, cause error) {
	size := 0
	for _, m := range refused {
		size += len(m.data)
	}
	half := int64(size / 2)
	for limit := p.batchBytes.Load(); half < limit; limit = p.batchBytes.Load() {
		if p.batchBytes.CompareAndSwap(limit, half) {
			p.cfg.Logger.Warn("queue: Kafka refuses batches of this size; smaller ones are sent from now on",
				"topic", p.cfg.Topic, "bytes", size, "error", cause, "check", "message.max.bytes of the brokers, max.message.bytes of the topic")
			return
		}
	}
}

// decode returns the messages of a record batch, which may be compressed in any way.
func decode(batch []byte) ([]*message, error) {
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(batch)); err != nil {
		return nil, fmt.Errorf("decode a record batch of %d bytes: %w", len(batch), err)
	}
	var messages []*message
	for {
		r, err := set.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode message %d of a record batch: %w", len(messages), err)
		}
		value, err := protocol.ReadAll(r.Value)
		if err != nil {
			return nil, fmt.Errorf("read message %d of a record batch: %w", len(messages), err)
		}
		messages = append(messages, &message{data: value, flows: countFlows(value)})
	}
}

func countFlows(data []byte) (n int) {
	for ; len(data) > 0; n++ {
		data = data[flowBytes(data):]
	}
	return n
}

// flowBytes returns the size of the first flow in data, its length included. What does
// not begin with a length is one flow.
func flowBytes(data []byte) int {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return len(data)
	}
	return n + int(size)
}

// halve divides messages in two, a single one at the boundary of a flow. Of a single
// flow the second half is empty.
func halve(messages []*message) (first, second []*message) {
	if n := len(messages); n > 1 {
		return messages[:n/2], messages[n/2:]
	}
	m := messages[0]
	if m.flows < 2 {
		return messages, nil
	}
	keep, end := m.flows/2, 0
	for range keep {
		end += flowBytes(m.data[end:])
	}
	return []*message{{data: m.data[:end], flows: keep}},
		[]*message{{data: m.data[end:], flows: m.flows - keep}}
}
