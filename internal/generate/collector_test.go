package generate

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	state "github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/netflow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// decode is what NetMeta's own collector makes of datagrams that it receives when they
// are sent.
func decode(t *testing.T, protocol Protocol, sent []packet) []flow.Record {
	t.Helper()
	var records []flow.Record
	emit := func(r *flow.Record) { records = append(records, keep(r)) }
	read := netflow.NewDecoder(state.NewTable(state.Config{}), emit, nil).Decode
	if protocol == SFlow {
		read = sflow.NewDecoder(state.NewTable(state.Config{}), emit, func(*flow.Counters) {}).Decode
	}
	for _, p := range sent {
		if err := read(p.payload, netip.AddrPortFrom(p.source, 40000), testStart); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// TestHistoryRecordsAreThoseOfTheCollector compares what History would emit with what
// the collector makes of the same traffic on the wire, field by field.
func TestHistoryRecordsAreThoseOfTheCollector(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			w := &wire{}
			sent, _ := play(t, testOptions(protocol, w))
			want := make([]string, len(sent))
			for i := range sent {
				want[i] = timeless(sent[i].Record)
			}
			var got []string
			for _, r := range decode(t, protocol, w.sent) {
				got = append(got, timeless(r))
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("history and collector differ (-history +collector):\n%.4000s", diff)
			}
		})
	}
}

// timeless prints a record without its times and the number of its datagram.
func timeless(r flow.Record) string {
	r.TimeReceived, r.SequenceNum, r.TimeFlowStart, r.TimeFlowEnd = 0, 0, 0, 0
	return fmt.Sprintf("%+v", r)
}

// TestInterfaceCountersAreWhatTheSamplesStandFor: an agent sends its counters in front
// of a datagram whose samples they have in them already.
func TestInterfaceCountersAreWhatTheSamplesStandFor(t *testing.T) {
	w := &wire{}
	o := testOptions(SFlow, w)
	o.Exporters, o.Flows = 1, 15_000
	play(t, o)

	var counted []flow.Counters
	in, out := map[uint32]uint64{}, map[uint32]uint64{}
	compared := 0
	decoder := sflow.NewDecoder(state.NewTable(state.Config{}), func(r *flow.Record) {
		in[r.InIf] += r.Bytes * r.SamplingRate
		out[r.OutIf] += r.Bytes * r.SamplingRate
	}, func(c *flow.Counters) { counted = append(counted, *c) })
	for _, p := range w.sent {
		expected := counted
		counted = nil
		if err := decoder.Decode(p.payload, netip.AddrPortFrom(p.source, 40000), testStart); err != nil {
			t.Fatal(err)
		}
		for _, c := range expected {
			compared++
			if c.InOctets != in[c.Interface] || c.OutOctets != out[c.Interface] {
				t.Fatalf("%s counts %d bytes in and %d out, its samples stand for %d and %d",
					c.Name, c.InOctets, c.OutOctets, in[c.Interface], out[c.Interface])
			}
		}
	}
	if compared < 2*len(Interfaces()) {
		t.Errorf("%d counters compared", compared)
	}
}
