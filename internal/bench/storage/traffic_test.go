//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/pb"
)

// decode returns the flows of a block, and the number of flows of its longest message.
func decode(t *testing.T, b block) (flows []*pb.FlowMessage, longest int) {
	t.Helper()
	for _, message := range b.messages {
		reader, n := bytes.NewReader(message), 0
		for ; ; n++ {
			var m pb.FlowMessage
			if err := protodelim.UnmarshalFrom(reader, &m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			flows = append(flows, &m)
		}
		longest = max(longest, n)
	}
	return flows, longest
}

func TestBlocksHoldAllFlowsInOrder(t *testing.T) {
	const rows = blockRows + 1700
	var blocks, total int
	last := uint64(firstDay.Unix())
	err := traffic{rows: rows, hours: 24}.blocks(context.Background(), func(b block) error {
		blocks, total = blocks+1, total+b.rows
		if b.rows == blockRows { // takes long to decode
			if len(b.messages) != blockRows/rowsPerMessage {
				t.Errorf("a full block has %d messages, want %d", len(b.messages), blockRows/rowsPerMessage)
			}
			return nil
		}
		flows, longest := decode(t, b)
		if len(flows) != b.rows || longest > rowsPerMessage {
			t.Errorf("a block of %d rows holds %d flows, up to %d a message", b.rows, len(flows), longest)
		}
		for _, f := range flows {
			if f.TimeReceived < last {
				t.Fatalf("a flow of %d comes after one of %d", f.TimeReceived, last)
			}
			last = f.TimeReceived
		}
		return nil
	})
	if err != nil || blocks != 2 || total != rows {
		t.Errorf("%d flows in %d blocks, %v; want %d in 2", total, blocks, err, rows)
	}
}

func TestInterfacesBelongToWhoIsBehindThem(t *testing.T) {
	type place struct {
		exporter string
		index    uint32
	}
	customers := map[place]bool{}
	exporters := map[string]bool{}
	err := traffic{rows: 20_000, hours: 24}.blocks(context.Background(), func(b block) error {
		flows, _ := decode(t, b)
		for _, f := range flows {
			inside := f.InIf
			if f.FlowDirection == 0 {
				inside = f.OutIf
			}
			if inside < customerInterface {
				t.Fatalf("the customer of %v is behind interface %d, want at least %d", f, inside, customerInterface)
			}
			exporters[string(f.SamplerAddress)] = true
			customers[place{string(f.SamplerAddress), inside}] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(exporters) < 3*sites || len(customers) < 10*sites {
		t.Errorf("%d exporters with %d interfaces to customers, want a network of some size", len(exporters), len(customers))
	}
}

func TestRandomTrafficRepeatsNoAddress(t *testing.T) {
	seen := map[string]bool{}
	err := traffic{rows: 5000, hours: 24, random: true}.blocks(context.Background(), func(b block) error {
		flows, _ := decode(t, b)
		for _, f := range flows {
			seen[string(f.SrcAddr)] = true
		}
		return nil
	})
	if err != nil || len(seen) < 4990 {
		t.Errorf("%d different sources of 5000, %v", len(seen), err)
	}
}
