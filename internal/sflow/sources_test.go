package sflow_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// numbered is a flow sample of a data source with its sequence number and drops.
func numbered(source, sequence, drops uint32) []byte {
	return framed(1, words(sequence, source, 1000, 0, drops, 3, 5, 0))
}

// unsampled returns what agents were counted not to have sampled, all together.
func unsampled(t *testing.T, table *exporter.Table) float64 {
	return total(t, table, "netmeta_exporter_unsampled_packets_total")
}

func TestWhatAgentsSayWasLostIsCounted(t *testing.T) {
	const first, second = 0xc000020a, 0xc000020b // agents
	type sent struct {
		agent, source, sequence, drops uint32
	}
	for _, test := range []struct {
		promise     string
		samples     []sent
		lost, drops float64
	}{
		{"the first sample says nothing yet", []sent{{first, 3, 1000, 500}}, 0, 0},
		{"drops are what the count has grown by", []sent{{first, 3, 1, 500}, {first, 3, 2, 530}, {first, 3, 3, 530}}, 0, 30},
		{"a gap in the numbers is lost samples", []sent{{first, 3, 1, 0}, {first, 3, 5, 0}}, 3, 0},
		{"data sources count for themselves", []sent{{first, 3, 1, 10}, {first, 4, 7, 90}, {first, 3, 2, 11}, {first, 4, 8, 92}}, 0, 3},
		{"a VLAN is not the interface with its number", []sent{{first, 3, 1, 10}, {first, 1<<24 | 3, 7, 90}, {first, 3, 2, 10}}, 0, 0},
		{"agents count for themselves", []sent{{first, 3, 1, 10}, {second, 3, 7, 90}, {first, 3, 2, 10}}, 0, 0},
		{"numbers wrap around", []sent{{first, 3, 0xffffffff, 0xfffffff0}, {first, 3, 1, 2}}, 1, 18},
		{"an agent that was restarted has lost nothing", []sent{{first, 3, 70000, 900}, {first, 3, 1, 0}, {first, 3, 2, 4}}, 0, 4},
		{"a datagram that was overtaken has lost nothing", []sent{{first, 3, 1, 5}, {first, 3, 3, 6}, {first, 3, 2, 5}, {first, 3, 4, 6}}, 1, 1},
		{"agents that do not number their samples count drops all the same", []sent{{first, 3, 0, 5}, {first, 3, 0, 6}}, 0, 1},
	} {
		t.Run(test.promise, func(t *testing.T) {
			lost := testutil.ToFloat64(sflow.LostSamples)
			table := exporter.NewTable(exporter.Config{})
			d := sflow.NewDecoder(table, func(*flow.Record) {}, nil)
			for _, s := range test.samples {
				if err := d.Decode(datagram(words(1, s.agent), numbered(s.source, s.sequence, s.drops)), source, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			if got := testutil.ToFloat64(sflow.LostSamples) - lost; got != test.lost {
				t.Errorf("%v samples counted as lost, want %v", got, test.lost)
			}
			if got := unsampled(t, table); got != test.drops {
				t.Errorf("%v drops counted, want %v", got, test.drops)
			}
		})
	}
}

// One source may take the place of another, but that has to be rare.
func TestManySourcesDoNotDisturbFew(t *testing.T) {
	table := exporter.NewTable(exporter.Config{})
	d := sflow.NewDecoder(table, func(*flow.Record) {}, nil)
	const ports = 10_000
	now := time.Now()
	for drops := range uint32(2) {
		for port := range uint32(ports) {
			if err := d.Decode(datagramOf(numbered(port, drops, drops)), source, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := unsampled(t, table); got < 0.99*ports {
		t.Errorf("%v of %d drops counted", got, ports)
	}
}
